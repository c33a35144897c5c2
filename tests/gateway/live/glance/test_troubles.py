"""What an operator is told to look at: each alert, on both sides of its limit."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.live import names
from gateway.live.glance import variants
from gateway.live.glance.troubles import Seen, profile, promise, traffic, troubles
from gateway.live.names import Point
from gateway.live.view import Trouble
from tests.gateway.live.glance.told import TABLE, ended, judged, labelled, numbers, points

MEASURED = TABLE.conditions.measured.timestamp()
ROOT = Path(__file__).parents[4]


def found(
    now: list[Point] = [],  # noqa: B006  (read only)
    recent: list[Point] = [],  # noqa: B006
    longer: list[Point] = [],  # noqa: B006
    age_s: float = 0,
) -> list[Trouble]:
    """What was added recently is part of what was added in the longer while."""
    return troubles(
        Seen(TABLE, numbers(now), numbers(recent), numbers(longer or recent), MEASURED + age_s)
    )


def bins(*counts: float) -> list[Point]:
    return points(names.CONFIDENCE, {("large", str(n)): count for n, count in enumerate(counts)})


def slow(compared: float, beyond: float, quantile: str = "0.95") -> list[Point]:
    return [
        (names.COMPARED, ("large",), compared),
        (names.BEYOND, ("large", quantile), beyond),
    ]


def answered(different: float, same: float) -> list[Point]:
    counts: dict[tuple[str, ...], float] = {("large", "other"): different, ("large", "same"): same}
    return points(names.PROBE_ANSWERS, counts)


def probes(failed: float, answered: float) -> list[Point]:
    return points(names.PROBES, {("gold", "late"): failed, ("gold", "on_time"): answered})


def effort(count: float, reason: str) -> list[Point]:
    ends = {"best_effort": count, "on_time": 1000 - count}
    return [*ended(ends), (names.BEST_EFFORT, ("gold", reason), count)]


EVIDENCE = ("gold", "feedback")
# name: what calls for it, what does not quite, and what its text has to name.
NOW: dict[str, tuple[list[Point], list[Point], tuple[str, ...]]] = {
    "TailqPromiseBroken": (
        [(names.EVIDENCE, EVIDENCE, 18.44)],
        [(names.EVIDENCE, EVIDENCE, 0.99)],
        ("gold", "feedback", "18.4 times"),
    ),
    "TailqUpstreamDown": (
        [(names.UPSTREAM_UP, ("triton:8000",), 0)],
        [(names.UPSTREAM_UP, ("triton:8000",), 1)],
        ("triton:8000",),
    ),
    "TailqVariantAbsent": (
        [(names.ABSENT, ("large",), 1)],
        [(names.ABSENT, ("large",), 0)],
        ("large",),
    ),
    "TailqProfileMismatch": (
        [(names.FINGERPRINT, ("large",), 0)],
        [(names.FINGERPRINT, ("large",), 1)],
        ("large",),
    ),
}
LATELY: dict[str, tuple[list[Point], list[Point], tuple[str, ...]]] = {
    # A budget of 7 % of 400 requests is 28; lost is 15 %, and in the other case 13 %.
    "TailqPromiseBurning": (
        judged(400, 0.85, 0.93),
        judged(400, 0.87, 0.93),
        ("gold", "2.14 times", "limit is 2"),
    ),
    "TailqProbesAnswerDifferently": (answered(6, 100), answered(4, 10), ("large", "5.66 %", "2 %")),
    "TailqProbesFailing": (probes(8, 4), probes(5, 5), ("gold", "66.7 %", "50 %")),
    "TailqRescueRate": (
        ended({"on_time": 79, "rescued": 21}),
        ended({"on_time": 80, "rescued": 20}),
        ("gold", "21 %", "20 %"),
    ),
    "TailqShedRate": (
        ended({"on_time": 94, "shed": 6, "invalid": 50}),
        ended({"on_time": 94, "shed": 4, "invalid": 50, "late": 2}),
        ("gold", "6 %", "5 %"),
    ),
    "TailqBestEffortRate": (
        effort(110, "load"),
        effort(900, "deadline"),
        ("gold", "11 %", "10 %"),
    ),
    # Odds of 1 : 19 times 3 are 3 : 19, which is a share of 13.6 %.
    "TailqLatencyDrift": (slow(600, 90), slow(600, 80), ("large", "15 %", "0.95", "13.6 %")),
    "TailqConfidenceDrift": (
        bins(600, 200, 100, 100),
        bins(300, 250, 250, 200),
        ("large", "0.25"),
    ),
    "TailqConfidenceUnread": (
        [*ended({"on_time": 150, "late": 900}), (names.UNREAD, ("large",), 12)],
        [*ended({"on_time": 150}), (names.UNREAD, ("large",), 7)],
        ("large", "8 %", "5 %"),
    ),
    "TailqCalibrationOff": (
        labelled(5000, 0.95, 0.92),
        labelled(5000, 0.95, 0.935),
        ("large", "+3.0 points", "probe", "2"),
    ),
    "TailqReloadRefused": (
        [(names.RELOADS, ("tiers", "refused"), 1)],
        [(names.RELOADS, ("tiers", "ok"), 1)],
        ("tiers",),
    ),
    "TailqWorkerRestarts": (
        [(names.RESTARTS, (), 2)],
        [(names.RESTARTS, (), 0)],
        ("2 worker",),
    ),
}


@pytest.mark.parametrize("name", NOW)
def test_what_is_so_now_is_told(name: str) -> None:
    """Once, by its runbook, with the thing and the figure; what is within its limit is not."""
    calls, quiet, texts = NOW[name]
    (trouble,) = found(now=calls)
    assert trouble.runbook == name
    assert all(text in trouble.what for text in texts), trouble.what
    assert found(now=quiet) == []


@pytest.mark.parametrize("name", LATELY)
def test_what_was_so_lately_is_told(name: str) -> None:
    """The same of what was added in the last minutes, with the limit."""
    calls, quiet, texts = LATELY[name]
    (trouble,) = found(recent=calls)
    assert trouble.runbook == name
    assert all(text in trouble.what for text in texts), trouble.what
    assert found(recent=quiet) == []


@pytest.mark.parametrize(
    ("long", "recent"),
    [
        (judged(400, 0.85, 0.93), judged(100, 0.93, 0.93)),
        (ended({"on_time": 70, "rescued": 30}), ended({"on_time": 50, "rescued": 1})),
        (effort(200, "load"), ended({"on_time": 100})),
    ],
)
def test_what_is_over_is_told_no_more(long: list[Point], recent: list[Point]) -> None:
    """It has to be so in the last five minutes, too."""
    assert len(found(recent=long, longer=long)) == 1
    assert found(recent=recent, longer=long) == []


@pytest.mark.parametrize(
    "few",
    [
        judged(300, 0.8, 0.93),  # a budget of 21 requests
        answered(4, 5),
        probes(6, 3),
        ended({"rescued": 99}),
        slow(500, 74),
        bins(499, 0, 0, 0),
        labelled(50, 0.9, 0.8),
    ],
)
def test_few_of_anything_tell_nothing(few: list[Point]) -> None:
    """Chance would do that."""
    assert found(recent=few) == []


def test_an_old_profile_is_told() -> None:
    """After thirty days."""
    (trouble,) = found(age_s=31 * 86400)
    assert trouble.runbook == "TailqProfileStale"
    assert "31 days" in trouble.what
    assert "30" in trouble.what
    assert found(age_s=29 * 86400) == []


def test_what_calls_for_somebody_comes_first() -> None:
    """Pages before tickets."""
    told = found(
        now=[(names.ABSENT, ("large",), 1), (names.UPSTREAM_UP, ("triton:8000",), 0)],
        recent=probes(8, 4),
    )
    assert [trouble.severity for trouble in told] == ["page", "page", "ticket"]


def alerts() -> dict[str, Any]:
    """Of deploy/prometheus, by name."""
    return {
        rule["alert"]: rule
        for file in (ROOT / "deploy" / "prometheus" / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


def test_they_are_the_alerts() -> None:
    """Each alert but those that a gateway cannot tell of itself, with its severity."""
    told = [trouble for calls, _, _ in NOW.values() for trouble in found(now=calls)]
    told += [trouble for calls, _, _ in LATELY.values() for trouble in found(recent=calls)]
    told += found(age_s=31 * 86400)
    assert {one.runbook: one.severity for one in told} == {
        name: alert["labels"]["severity"]
        for name, alert in alerts().items()
        if name not in ("TailqPromiseEroding", "TailqGatewayDown")
    }


@pytest.mark.parametrize(
    ("alert", "limits"),
    [
        ("TailqPromiseBurning", (promise._BURN, promise._BUDGET)),
        ("TailqRescueRate", (traffic._RESCUED, traffic._REQUESTS)),
        ("TailqShedRate", (traffic._SHED, traffic._REQUESTS)),
        ("TailqBestEffortRate", (traffic._BEST_EFFORT, traffic._REQUESTS)),
        ("TailqLatencyDrift", (profile._ODDS, profile._ODDS - 1, profile._BEYOND_LEAST)),
        ("TailqConfidenceDrift", (profile._DRIFT, variants._ENOUGH)),
        ("TailqConfidenceUnread", (profile._UNREAD, profile._UNREAD_LEAST)),
        (
            "TailqCalibrationOff",
            (
                profile._ERROR,
                profile._DEVIATIONS**2,
                profile._LABELS_LEAST,
                profile._VARIANCE_LEAST,
            ),
        ),
        ("TailqProbesAnswerDifferently", (profile._DIFFERENT, profile._DIFFERENT_LEAST)),
        ("TailqProbesFailing", (profile._FAILING, profile._FAILING_LEAST)),
        ("TailqProfileStale", (profile._STALE_S / 86400,)),
    ],
)
def test_limits_are_the_alerts(alert: str, limits: tuple[float, ...]) -> None:
    """Whoever changes one is told of the other."""
    numbers = {
        float(each)
        for each in re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)", alerts()[alert]["expr"])
    }
    assert set(limits) <= numbers
