"""When a fault was seen, by whom: read afterwards from what Prometheus has recorded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from urllib.request import urlopen

from rich import box
from rich.console import Console
from rich.table import Table

from tests.prometheus import Prometheus

TIER, VARIANT = "gold", "fashion_tiny"  # whose fault it is
_PROMISE = 'alertname="TailqPromiseBroken",tier="gold"'
_VARIANT = f'variant="{VARIANT}"'
# By the name of a path, the labels of its alert.
PATHS: Mapping[str, str] = {
    "promise broken: expected, without labels": f'{_PROMISE},source="expected"',
    "promise broken: probes": f'{_PROMISE},source="probe"',
    "promise broken: feedback": f'{_PROMISE},source="feedback"',
    "probes answer differently": f'alertname="TailqProbesAnswerDifferently",{_VARIANT}',
    "confidence drift": f'alertname="TailqConfidenceDrift",{_VARIANT}',
    "latency drift": f'alertname="TailqLatencyDrift",{_VARIANT}',
    "calibration off: probes": f'alertname="TailqCalibrationOff",{_VARIANT},source="probe"',
    "calibration off: feedback": f'alertname="TailqCalibrationOff",{_VARIANT},source="feedback"',
}
EXPECTED, PROBE, FEEDBACK, ANSWERS, CONFIDENCE, LATENCY, *CALIBRATION = PATHS
_SENT = f'sum(tailq_quality_judged_total{{tier="{TIER}",source="expected"}})'


@dataclass(frozen=True)
class Seen:
    """seconds, requests: after the fault began; requests are those of the tier by all clients."""

    seconds: float
    requests: int


@dataclass(frozen=True)
class Detection:
    """Of one fault. promised: of the tier.

    before, during: share of the tier's requests answered right, without the fault and with it.
    recovered_s: from its end until no source's evidence says broken; None: not waited for.
    also: alerts that are no path's here, with what they are of.
    """

    fault: str
    seen: Mapping[str, Seen | None]
    promised: float
    before: float
    during: float
    recovered_s: float | None
    also: tuple[str, ...]


def recorded(
    prometheus: Prometheus, expression: str, begin: float, end: float
) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
    """(labels, (moment, value) each second) of each series that the expression gives."""
    asked = urlencode({"query": expression, "start": begin, "end": end, "step": 1})
    with urlopen(f"{prometheus.url}/api/v1/query_range?{asked}", timeout=20) as answer:
        found = json.load(answer)["data"]["result"]
    return [(one["metric"], [(at, float(value)) for at, value in one["values"]]) for one in found]


def fired(labels: str = "") -> str:
    """An expression: the alerts with these labels that fire."""
    return "ALERTS{" + ",".join(filter(None, ('alertstate="firing"', labels))) + "}"


def first_seen(prometheus: Prometheus, labels: str, begin: float, end: float) -> Seen | None:
    """When such an alert fired first; to a second, scrape and evaluation included."""
    # One step more, so that what came in the last second counts.
    found = recorded(prometheus, fired(labels), begin, end + 1)
    moments = [at for _, values in found for at, _ in values]
    if not moments:
        return None
    at = min(moments)
    [(_, sent)] = recorded(prometheus, _SENT, begin, at)
    return Seen(at - begin, round(sent[-1][1] - sent[0][1]))


def others(prometheus: Prometheus, begin: float, end: float) -> tuple[str, ...]:
    """Every alert that fired and belongs to none of PATHS."""
    ours = [
        label for path in PATHS for label, _ in recorded(prometheus, fired(PATHS[path]), begin, end)
    ]
    every = [labels for labels, _ in recorded(prometheus, fired(), begin, end)]
    kinds = ("alertname", "tier", "variant", "source")
    return tuple(
        sorted(
            " ".join(one[kind] for kind in kinds if kind in one) for one in every if one not in ours
        )
    )


def show(detections: list[Detection]) -> None:
    """A table for people and a line of JSON."""
    table = Table(title="Time to detection: seconds (requests of the tier)", box=box.SIMPLE_HEAD)
    table.add_column("seen by")
    for one in detections:
        table.add_column(one.fault, justify="right")
    for path in PATHS:
        table.add_row(path, *(_told(one.seen[path]) for one in detections))
    for title, values in (
        ("right before, %", [f"{100 * one.before:.1f}" for one in detections]),
        ("right while it lasted, %", [f"{100 * one.during:.1f}" for one in detections]),
        ("promised, %", [f"{100 * one.promised:.1f}" for one in detections]),
        ("evidence gone again after, s", [_seconds(one.recovered_s) for one in detections]),
    ):
        table.add_row(title, *values)
    table.add_row("also", *("\n".join(one.also) or "–" for one in detections))
    Console(width=140).print(table)
    print(json.dumps({one.fault: _plain(one) for one in detections}))


def _told(seen: Seen | None) -> str:
    return "not seen" if seen is None else f"{seen.seconds:.0f} ({seen.requests})"


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.0f}"


def _plain(one: Detection) -> dict[str, object]:
    return {
        "seen": {
            path: None if seen is None else [round(seen.seconds, 1), seen.requests]
            for path, seen in one.seen.items()
        },
        "promised": one.promised,
        "before": one.before,
        "during": one.during,
        "recovered_s": one.recovered_s,
        "also": one.also,
    }
