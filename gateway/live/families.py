"""Metrics as plain data: to be sent from process to process, and merged into one.

Counters and histograms add up. What becomes of gauges is said for each of them in names.py.
"""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from statistics import fmean
from typing import Any, Final

from prometheus_client.metrics_core import Metric

from gateway.live import names
from gateway.live.histogram import Exemplar, Histogram, cumulative_at
from gateway.live.names import Points, Rule, Spec

Labels = tuple[tuple[str, str], ...]
Key = tuple[str, Labels]
Samples = dict[Key, float]

BUCKET: Final = "_bucket"
COUNT: Final = "_count"
_CACHED: Final = 1 << 14  # series, of which the text or tuples are the same at every scrape
_DYADIC: Final = 2.0**20
_RULES: Final[dict[Rule, Callable[[Collection[float]], float]]] = {
    "sum": math.fsum,
    "max": max,
    "min": min,
    "mean": fmean,
}
# Of prometheus-client's process collector.
_PROCESS: Final[dict[str, Rule]] = {
    "process_virtual_memory_bytes": "sum",
    "process_resident_memory_bytes": "sum",
    "process_open_fds": "sum",
    "process_max_fds": "min",
    "process_start_time_seconds": "min",
}
GAUGES: Final[Mapping[str, Rule]] = _PROCESS | {
    spec.name: spec.rule for spec in names.SPECS if spec.rule is not None
}


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of one or more processes. kind: counter, gauge or histogram, as Prometheus has.

    samples: by their names (a counter's end in _total) and labels. exemplars: of buckets.
    """

    name: str
    kind: str
    text: str
    samples: Samples = field(default_factory=dict)
    exemplars: dict[Key, Exemplar] = field(default_factory=dict)


Families = dict[str, Family]


def of(points: Points, service: str) -> Families:
    """Points as families; where a metric has labels, `service` comes before them."""
    families: Families = {}
    for spec, values, value in points:
        family = families.get(spec.name)
        if family is None:
            family = families[spec.name] = Family(spec.name, spec.kind, spec.text)
        if isinstance(value, Histogram):
            _add_histogram(family, spec, values, service, value)
        elif spec.kind == "counter":
            family.samples[key(spec, values, service)] = _dyadic(value)
        else:
            family.samples[key(spec, values, service)] = float(value)
    return families


@lru_cache(_CACHED)
def key(spec: Spec, values: tuple[str, ...], service: str, suffix: str | None = None) -> Key:
    """The sample of a series; `service` comes before labels where there are any.

    suffix: of the sample's name; by default a counter's.
    """
    if suffix is None:
        suffix = "_total" if spec.kind == "counter" else ""
    pairs = tuple(zip(spec.labels, values, strict=True))
    return spec.name + suffix, (("service", service), *pairs) if pairs else ()


@lru_cache(_CACHED)
def _bucket_keys(
    spec: Spec, values: tuple[str, ...], service: str, edges: tuple[float, ...]
) -> tuple[Key, ...]:
    name, labels = key(spec, values, service, BUCKET)
    return tuple((name, (*labels, ("le", edge))) for edge in (*map(repr, edges), "+Inf"))


def collected(metrics: Iterable[Metric]) -> Families:
    """What a collector of prometheus-client's tells, as families."""
    return {
        metric.name: Family(
            metric.name,
            metric.type,
            metric.documentation,
            {
                (sample.name, tuple(sample.labels.items())): float(sample.value)
                for sample in metric.samples
            },
        )
        for metric in metrics
    }


def merge(members: Iterable[Families], gauges: Mapping[str, Rule] = GAUGES) -> Families:
    """One exposition of several processes.

    A gauge without a rule is an error of ours, which a test finds: KeyError.
    """
    grouped: dict[str, list[Family]] = {}
    for member in members:
        for family in member.values():
            grouped.setdefault(family.name, []).append(family)
    return {
        name: Family(
            name, same[0].kind, same[0].text, _merged(same, gauges), _newest_exemplars(same)
        )
        for name, same in grouped.items()
    }


def lasting(families: Families) -> Families:
    """What of a process that ended still counts: counters and histograms."""
    return {name: family for name, family in families.items() if family.kind != "gauge"}


def encode(families: Families) -> list[Any]:
    """As JSON has it."""
    return [
        [
            one.name,
            one.kind,
            one.text,
            [[*key, value] for key, value in one.samples.items()],
            [[*key, *exemplar] for key, exemplar in one.exemplars.items()],
        ]
        for one in families.values()
    ]


def decode(content: Sequence[Any]) -> Families:
    """The opposite of encode()."""
    return {
        name: Family(
            name,
            kind,
            text,
            {(sample, _decoded(labels)): float(value) for sample, labels, value in samples},
            {
                (sample, _decoded(labels)): Exemplar(trace_id, value, at)
                for sample, labels, trace_id, value, at in exemplars
            },
        )
        for name, kind, text, samples, exemplars in content
    }


def _decoded(labels: Iterable[Sequence[str]]) -> Labels:
    return tuple((name, text) for name, text in labels)


def _dyadic(value: float) -> float:
    """Rounded to 2^-20, about a millionth. Sums of such numbers are exact, in whatever order.

    Other sums depend on it, and a counter that falls by its last bit because processes were added
    up differently has started anew from zero, as Prometheus sees it.
    """
    return round(value * _DYADIC) / _DYADIC


def _add_histogram(
    family: Family, spec: Spec, values: tuple[str, ...], service: str, histogram: Histogram
) -> None:
    samples = family.samples
    buckets = _bucket_keys(spec, values, service, histogram.edges)
    for bucket, (_, below) in zip(buckets, histogram.buckets(), strict=True):
        samples[bucket] = _dyadic(below)
    samples[key(spec, values, service, COUNT)] = _dyadic(histogram.count)
    samples[key(spec, values, service, "_sum")] = _dyadic(histogram.total)
    for number, exemplar in histogram.exemplars.items():
        family.exemplars[buckets[number]] = exemplar


def _merged(same: Sequence[Family], gauges: Mapping[str, Rule]) -> Samples:
    if len(same) == 1:
        return same[0].samples
    keys = same[0].samples.keys()
    if same[0].kind == "histogram" and any(other.samples.keys() != keys for other in same[1:]):
        return _histograms([family.samples for family in same])
    combine = _RULES[gauges[same[0].name] if same[0].kind == "gauge" else "sum"]
    values: dict[Key, list[float]] = {}
    for family in same:
        for key, value in family.samples.items():
            values.setdefault(key, []).append(value)
    return {key: combine(found) for key, found in values.items()}


def _newest_exemplars(same: Sequence[Family]) -> dict[Key, Exemplar]:
    newest: dict[Key, Exemplar] = {}
    for family in same:
        for key, exemplar in family.exemplars.items():
            if key not in newest or exemplar.at > newest[key].at:
                newest[key] = exemplar
    return newest


def _histograms(members: Sequence[Samples]) -> Samples:
    """Sums by edge; of a member without that edge, what is known to lie below it.

    The samples of one series follow each other, buckets by their edges: OpenMetrics wants it so.
    """
    texts: dict[Key, dict[float, str]] = {}  # how edges are written
    counts: dict[Key, list[dict[float, float]]] = {}  # cumulative, of each member
    sums: dict[Labels, Samples] = {}  # by the labels of a series, its _count and _sum
    for samples in members:
        own: dict[Key, dict[float, float]] = {}
        for (name, labels), value in samples.items():
            if name.endswith(BUCKET):
                series, (_, text) = (name, labels[:-1]), labels[-1]
                own.setdefault(series, {})[float(text)] = value
                texts.setdefault(series, {})[float(text)] = text
            else:
                of_series = sums.setdefault(labels, {})
                of_series[name, labels] = of_series.get((name, labels), 0.0) + value
        for series, cumulative in own.items():
            counts.setdefault(series, []).append(cumulative)
    merged: Samples = {}
    for (name, labels), of_members in counts.items():
        for at, text in sorted(texts[name, labels].items()):
            total = math.fsum(cumulative_at(at, cumulative) for cumulative in of_members)
            merged[name, (*labels, ("le", text))] = total
        merged |= sums[labels]
    return merged
