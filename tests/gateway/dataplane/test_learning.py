"""What outlook, admission and recorder are told of the work upstream."""

from dataclasses import dataclass

import pytest

from gateway.admission import Admission
from gateway.dataplane import Limits
from gateway.upstream.base import Failure, Refusal
from tailq.plan import Cascade, Race
from tests.gateway.dataplane.bench import Bench, Observation, bench, executing, near, says
from tests.gateway.virtual import Behaviour
from tests.tables import promise, table, tier

TABLE = table(tier("fast", 0.1, promise("small", 0.1)))
RACE = Race(fast="small", accurate="large", threshold=0.5, terminate=False)


@dataclass
class Told:
    """What admission was told of calls that ended."""

    calls: list[tuple[str, float, bool]]


def listening(b: Bench, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Have what admission is told written down."""
    told = Told([])

    def ended(self: Admission, variant: str, seconds: float, good: bool) -> None:
        told.calls.append((variant, seconds, good))

    monkeypatch.setattr(Admission, "ended", ended)
    assert b.plane.admission
    return told


def test_an_answer_is_observed_with_the_work_it_met(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its latency, and what was in flight when it was asked, its own work left out."""
    b = bench(TABLE, says(0.03), says(0.05), service_s={"small": 0.01})
    b.upstream.endpoints = 2
    told = listening(b, monkeypatch)
    b.ask()
    b.clock.run_until(0.01)
    b.ask()
    b.clock.run_until(1.0)
    assert b.observer.seen == [
        Observation("small", 0.03, 0.0, 0.03, True),
        Observation("small", near(0.05), 0.005, near(0.06), True),
    ]
    assert told.calls == [("small", 0.03, True), ("small", near(0.05), True)]


def test_a_call_that_outlasts_its_deadline_is_told_of_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the deadline that it takes longer, and at its end how long; for admission it was bad."""
    b = bench(TABLE, says(0.4))
    told = listening(b, monkeypatch)
    b.ask()
    b.clock.run_until(0.2)
    assert b.observer.seen == [Observation("small", 0.1, 0.0, 0.1, False)]
    b.clock.run_until(1.0)
    assert b.observer.seen[1:] == [Observation("small", 0.4, 0.0, 0.4, True)]
    assert told.calls == [("small", 0.4, False)]


@pytest.mark.parametrize("limits", [Limits(abandon_s=1.0), Limits(at_deadline="cancel")])
def test_a_call_that_never_ends_is_known_to_take_longer(
    monkeypatch: pytest.MonkeyPatch, limits: Limits
) -> None:
    """That it was cancelled in the end says nothing of its latency, but of capacity."""
    b = bench(TABLE, says(None), limits=limits)
    told = listening(b, monkeypatch)
    b.ask()
    b.clock.run_until(5.0)
    assert [seen.ended for seen in b.observer.seen] == [False]
    assert [good for _, _, good in told.calls] == [False]


@pytest.mark.parametrize(
    ("result", "bad"),
    [
        (Failure("lost", "gone"), False),
        (Failure("unavailable", "queue is full", "busy"), True),
        (Refusal("wrong shape"), False),
    ],
)
def test_what_is_no_answer_is_not_observed(
    monkeypatch: pytest.MonkeyPatch, result: Failure | Refusal, bad: bool
) -> None:
    """A quick failure is no good latency; only that upstream is busy says something of capacity."""
    b = bench(TABLE, Behaviour(0.01, result))
    told = listening(b, monkeypatch)
    b.ask()
    b.clock.run_until(1.0)
    assert b.observer.seen == []
    assert told.calls == ([("small", 0.01, False)] if bad else [])
    assert b.records.upstream == [("small", 0.01)]


def test_a_loser_left_to_end_is_observed_a_cancelled_one_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its latency is as good as any, if it has one."""
    for plan, observed in (
        (RACE, ["small", "large"]),
        (RACE.model_copy(update={"terminate": True}), ["small"]),
    ):
        b = executing(plan, {"small": says(0.01, 1.0), "large": says(0.05)})
        told = listening(b, monkeypatch)
        b.ask()
        b.clock.run_until(1.0)
        assert [(seen.variant, seen.ended) for seen in b.observer.seen] == [
            (variant, True) for variant in observed
        ]
        assert told.calls == [
            (variant, near(s), True) for variant, s in zip(observed, (0.01, 0.05), strict=False)
        ]


def test_a_stage_that_does_not_make_it_is_told_of_when_the_answer_in_hand_leaves() -> None:
    """From when it was asked, not from when the request came."""
    plan = Cascade(stages=("small", "large"), thresholds=(0.5,))
    b = executing(plan, {"small": says(0.03, 0.1), "large": says(None)})
    b.ask()
    b.clock.run_until(0.1)
    late = b.observer.seen[1]
    assert (late.variant, late.ended) == ("large", False)
    assert late.seconds == near(0.069)


@pytest.mark.parametrize(
    ("took_s", "limits", "seen"),
    [
        (0.03, Limits(), [True]),  # in time
        (0.4, Limits(), [False, True]),  # late, but it ends: what counts is what it took
        (None, Limits(abandon_s=1.0), [False]),  # never ends: what it exceeded by its deadline
        (0.4, Limits(at_deadline="cancel"), [False]),
    ],
)
def test_the_recorder_is_told_once_of_each_latency_that_was_compared(
    took_s: float | None, limits: Limits, seen: list[bool]
) -> None:
    """By how many of the profile's quantiles it exceeded, as the outlook has it."""
    b = bench(TABLE, says(took_s), limits=limits)
    b.observer.beyond = 3
    b.ask()
    b.clock.run_until(5.0)
    assert [each.ended for each in b.observer.seen] == seen
    assert b.records.beyond == [("small", 3)]


def test_what_cannot_be_compared_is_not_told() -> None:
    """Of a variant without a model of its latency, and of a call that failed."""
    for behaviour in (says(0.03), Behaviour(0.01, Failure("lost", "gone"))):
        b = bench(TABLE, behaviour)
        b.ask()
        b.clock.run_until(5.0)
        assert b.records.beyond == []


def test_admission_learns_what_a_cascade_takes() -> None:
    """All that its requests asked, in device-seconds, whether they stopped first or went on."""
    plan = Cascade(stages=("small", "large"), thresholds=(0.9,))
    script = [says(0.01, 0.95), says(0.01, 0.2), says(0.01)] * 40
    tiers = table(tier("fast", 0.1, promise(plan, 0.1)))
    b = bench(tiers, *script, service_s={"small": 0.002, "large": 0.02})
    for _ in range(80):
        b.answer(within_s=0.025)
    expected_s = b.plane.admission.taken.mean_s(plan, 0.002, b.clock.now())
    assert expected_s == pytest.approx((0.002 + 0.022) / 2, rel=0.1)
