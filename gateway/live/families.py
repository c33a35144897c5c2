"""Metrics as plain data: to be sent from process to process, and merged into one.

Counters and histograms add up. What becomes of gauges is said for each of them in metrics.GAUGES.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from gateway.live.histogram import cumulative_at
from gateway.live.metrics import GAUGES, Rule

Labels = tuple[tuple[str, str], ...]
Samples = dict[tuple[str, Labels], float]

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_BUCKET: Final = "_bucket"
_RULES: Final[dict[Rule, Callable[[Iterable[float]], float]]] = {
    "sum": math.fsum,
    "max": max,
    "min": min,
}


@dataclass(frozen=True, slots=True)
class Family:
    """One metric of one or more processes. kind: counter, gauge or histogram, as Prometheus has."""

    name: str
    kind: str
    text: str
    samples: Samples = field(default_factory=dict)


Families = dict[str, Family]


def of(metrics: Iterable[Metric]) -> Families:
    """The present numbers of a collector."""
    families: Families = {}
    for metric in metrics:
        samples = {
            (sample.name, tuple(sample.labels.items())): float(sample.value)
            for sample in metric.samples
        }
        families[metric.name] = Family(metric.name, metric.type, metric.documentation, samples)
    return families


def merge(members: Iterable[Families], gauges: Mapping[str, Rule] = GAUGES) -> Families:
    """One exposition of several processes.

    A gauge without a rule is an error of ours, which a test finds: KeyError.
    """
    grouped: dict[str, list[Family]] = {}
    for member in members:
        for family in member.values():
            grouped.setdefault(family.name, []).append(family)
    return {
        name: Family(name, same[0].kind, same[0].text, _merged(same, gauges))
        for name, same in grouped.items()
    }


def lasting(families: Families) -> Families:
    """What of a process that ended still counts: counters and histograms."""
    return {name: family for name, family in families.items() if family.kind != "gauge"}


def exposition(families: Families) -> bytes:
    """As Prometheus reads it."""
    return generate_latest(_Given(families))


def encode(families: Families) -> list[Any]:
    """As JSON has it."""
    return [
        [one.name, one.kind, one.text, [[*key, value] for key, value in one.samples.items()]]
        for one in families.values()
    ]


def decode(content: Sequence[Any]) -> Families:
    """The opposite of encode()."""
    return {
        name: Family(
            name,
            kind,
            text,
            {
                (sample, tuple((str(label), str(text)) for label, text in labels)): float(value)
                for sample, labels, value in samples
            },
        )
        for name, kind, text, samples in content
    }


def _merged(same: Sequence[Family], gauges: Mapping[str, Rule]) -> Samples:
    if len(same) == 1:
        return same[0].samples
    if same[0].kind == "histogram":
        return _histograms([family.samples for family in same])
    combine = _RULES[gauges[same[0].name] if same[0].kind == "gauge" else "sum"]
    values: dict[tuple[str, Labels], list[float]] = {}
    for family in same:
        for key, value in family.samples.items():
            values.setdefault(key, []).append(value)
    return {key: combine(found) for key, found in values.items()}


def _histograms(members: Sequence[Samples]) -> Samples:
    """Sums by edge; of a member without that edge, what is known to lie below it."""
    merged: Samples = {}
    buckets: dict[tuple[str, Labels], list[dict[float, float]]] = {}
    edges: dict[tuple[str, Labels], dict[float, str]] = {}
    for samples in members:
        own: dict[tuple[str, Labels], dict[float, float]] = {}
        for (name, labels), value in samples.items():
            if not name.endswith(_BUCKET):
                merged[name, labels] = merged.get((name, labels), 0.0) + value
                continue
            edge = dict(labels)["le"]
            key = (name, tuple(label for label in labels if label[0] != "le"))
            own.setdefault(key, {})[float(edge)] = value
            edges.setdefault(key, {})[float(edge)] = edge
        for key, cumulative in own.items():
            buckets.setdefault(key, []).append(cumulative)
    for (name, labels), cumulatives in buckets.items():
        for at, text in sorted(edges[name, labels].items()):
            total = math.fsum(cumulative_at(at, counts) for counts in cumulatives)
            merged[name, (*labels, ("le", text))] = total
    return merged


class _Given(Collector):
    def __init__(self, families: Families) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families.values():
            metric = Metric(family.name, family.text, family.kind)
            for (name, labels), value in family.samples.items():
                metric.add_sample(name, dict(labels), value)
            yield metric
