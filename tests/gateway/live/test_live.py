"""Live accounting: what is promised beside what is delivered, and nothing lost in between."""

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dataplane import Answer, Outcome, Reading
from gateway.live import names
from gateway.live.histogram import Histogram
from gateway.live.judged import Judged
from gateway.live.live import AT_ONCE, Live
from gateway.live.metrics import Metrics, Views
from gateway.upstream.base import Failure, Reply, Result
from loadtest.simulation import samples
from loadtest.simulation.run import Setting, play
from loadtest.simulation.samples import Answers, Told
from profiler.record.calibrate import calibrate
from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tailq.route import BestEffort, Decision
from tailq.tier import ConfidenceSpread, Served, TierTable
from tests.loadtest.simulation import worlds
from tests.tables import promise, table, tier

DRAW = np.random.default_rng(0)
CONFIDENCE = DRAW.beta(5, 1.5, 500)
SCORE = (DRAW.random(500) < CONFIDENCE**0.5).astype(float)
CALIBRATION = calibrate(CONFIDENCE, SCORE)
SPREAD = ConfidenceSpread(upper=(0.25, 0.5, 0.75, 1.0), share=(0.1, 0.2, 0.3, 0.4))
SERVED = {
    "small": Served(service_s=0.001, calibration=CALIBRATION, spread=SPREAD),
    "large": Served(service_s=0.01, calibration=CALIBRATION, spread=SPREAD),
    "dumb": Served(service_s=0.001),
}
TABLE = table(
    tier("gold", 0.01, promise("large", 0.05, 0.8), promise("large", 0.2, 0.9)),
    tier("fast", 0.1, promise("small", 0.05, 0.7)),
    tier("mute", 0.1, promise("dumb", 0.05, 0.6)),
).model_copy(update={"served": SERVED})
TIERS = {one.name: one for one in TABLE.tiers}


def live(tiers: TierTable = TABLE) -> Live:
    """With no traffic yet."""
    return Live(tiers, samples.told_each, Metrics(tiers, Views()))


def answer(
    outcome: Outcome = "on_time",
    confidence: float | None = 0.9,
    *,
    name: str = "gold",
    at: int = -1,
    best_effort: BestEffort | None = None,
    request_id: bytes = b"",
    deadline_s: float | None = None,
) -> Answer:
    """How a request of this tier ended, at its promise number `at`."""
    chosen = TIERS[name].promises[at]
    decision = Decision(
        TIERS[name], chosen.plan, deadline_s or chosen.deadline_s, chosen, best_effort
    )
    results: dict[str, Result | None] = {"failed": Failure("lost", "gone")}
    if outcome in ("on_time", "rescued", "best_effort"):
        results[outcome] = Told(b"", None, None, confidence)
    [variant] = chosen.plan.variants
    return Answer(
        outcome,
        decision,
        results.get(outcome),
        0.01,
        variant=variant,
        best_effort=best_effort,
        asked=(variant,),
        request_id=request_id,
    )


def numbers(of: Live) -> dict[tuple[str, ...], float]:
    """All points by name and labels; of histograms how many observations."""
    return {
        (spec.name, *labels): value.count if isinstance(value, Histogram) else value
        for spec, labels, value in of.points()
    }


HELD = [outcome for outcome in get_args(Outcome) if outcome not in ("invalid", "cancelled")]
ended = st.builds(
    answer,
    st.sampled_from(get_args(Outcome)),
    st.none() | st.floats(0, 1),
    name=st.sampled_from(sorted(TIERS)),
    best_effort=st.none() | st.sampled_from(["load", "unavailable"]),
)


@given(st.lists(ended, max_size=3 * AT_ONCE))
def test_sums_add_up_whatever_the_outcomes(answers: list[Answer]) -> None:
    """Each request that is held to a promise counts once, with what its answer is worth."""
    of = live()
    for one in answers:
        of.answered(one)
    found = numbers(of)
    for name, its_tier in TIERS.items():
        held = [a for a in answers if a.decision.tier.name == name and a.outcome in HELD]
        in_time = [a.result.confidence for a in held if isinstance(a.result, Told)]
        told = [] if name == "mute" else [each for each in in_time if each is not None]
        last = its_tier.promises[-1]
        untold = (len(in_time) - len(told)) * last.expected_quality / last.expected_on_time
        worth = float(np.interp(told, CALIBRATION.confidence, CALIBRATION.quality).sum())
        assert found["tailq_quality_judged", name, "expected"] == len(held)
        assert found["tailq_quality_promised", name, "expected"] == pytest.approx(
            len(held) * last.quality
        )
        assert found["tailq_quality_delivered", name, "expected"] == pytest.approx(worth + untold)
        assert found["tailq_round_quality_ratio", name, "expected"] == len(held) // 100 * 100
        [variant] = last.plan.variants
        assert found["tailq_confidence_unread", variant] == len(in_time) - len(told)
        assert not any(
            found[metric.name, name, source]
            for metric in (names.JUDGED, names.DELIVERED, names.PROMISED)
            for source in ("feedback", "probe")
        )


def plans() -> list[tuple[str, Plan]]:
    """One of each kind, over the variants of a simulated service."""
    return [
        ("single", Single(variant="medium")),
        ("cascade", Cascade(stages=("small", "medium", "large"), thresholds=(0.9, 0.8))),
        ("race", Race(fast="small", accurate="large", threshold=0.9)),
        ("rescue", Rescue(primary="large", rescuer="small", after_s=0.02)),
    ]


def simulated(plan: Plan, deadline_s: float) -> tuple[TierTable, Answers]:
    """A service of one tier with this plan, its answers, and what the profile says of them."""
    quality = {"small": 0.75, "medium": 0.85, "large": 0.95}
    draw = np.random.default_rng(1)
    told, variants = {}, {}
    for name, mean in quality.items():
        sure = draw.beta(6 * mean, 6 * (1 - mean), 400)
        right = (draw.random(400) < sure).astype(float)
        told[name] = list(zip(sure.tolist(), right.tolist(), strict=True))
        calibration = calibrate(sure, right)
        variants[name] = worlds.SERVED[name].model_copy(update={"calibration": calibration})
    only = tier("only", 0.1, promise(plan, deadline_s, 0.8))
    of = table(only, default="only", max_outstanding=8).model_copy(update={"served": variants})
    return of, Answers(told, 400)


class Kept:
    """A Recorder that keeps answers for itself."""

    def __init__(self, of: Live) -> None:
        self.answers: list[Answer] = []
        self._live = of
        self.refused, self.upstream_ended, self.compared = (
            of.refused,
            of.upstream_ended,
            of.compared,
        )

    def answered(self, answer: Answer) -> None:
        """See dataplane.Recorder."""
        self.answers.append(answer)
        self._live.answered(answer)


@pytest.mark.parametrize(("kind", "plan"), plans())
@pytest.mark.parametrize("deadline_s", [0.03, 0.2])
def test_what_is_expected_is_what_numpy_makes_of_the_answers(
    kind: str, plan: Plan, deadline_s: float
) -> None:
    """Through the real dataplane, with whatever is late, rescued and decided by confidence."""
    tiers, answers = simulated(plan, deadline_s)
    of = live(tiers)
    kept = Kept(of)
    setting = Setting(
        table=tiers,
        variants=worlds.SERVED,
        rates={"only": 20.0},
        seconds=60,
        seed=3,
        answers=answers,
    )
    assert not play(setting, kept).violations()
    expected = 0.0
    for one in kept.answers:
        if isinstance(one.result, Told):
            calibration = tiers.served[one.variant].calibration
            assert calibration is not None
            assert one.result.confidence is not None
            expected += float(
                np.interp(one.result.confidence, calibration.confidence, calibration.quality)
            )
    found = numbers(of)
    assert found["tailq_quality_judged", "only", "expected"] == len(kept.answers) > 1000
    assert found["tailq_quality_delivered", "only", "expected"] == pytest.approx(expected)
    assert found["tailq_confidence_unread", plan.variants[0]] == 0
    if kind == "rescue" if deadline_s < 0.1 else kind in ("cascade", "race"):
        assert len({one.variant for one in kept.answers}) > 1


def test_of_the_profiles_own_samples_it_is_their_quality() -> None:
    """Without a label: isotonic regression keeps the mean, and nothing here loses it."""
    of = live()
    for confidence in CONFIDENCE.tolist():
        of.answered(answer(confidence=confidence))
    found = numbers(of)
    delivered = found["tailq_quality_delivered", "gold", "expected"]
    assert delivered / 500 == pytest.approx(SCORE.mean(), abs=1e-9)


def test_a_batch_is_worth_the_mean_of_its_samples() -> None:
    """Of any size, in any order, beside answers of one sample."""

    def read(_variant: str, replies: Sequence[Reply]) -> list[Reading | None]:
        return [Reading(tuple(np.frombuffer(reply.body).tolist())) for reply in replies]

    of, expected = Live(TABLE, read, Metrics(TABLE, Views())), 0.0
    for size in (1, 7, 1, 200, 3):
        sure = DRAW.random(size)
        one = answer()
        one.result = Reply(sure.tobytes())
        of.answered(one)
        expected += float(np.interp(sure, CALIBRATION.confidence, CALIBRATION.quality).mean())
    found = numbers(of)
    assert found["tailq_quality_delivered", "gold", "expected"] == pytest.approx(expected)
    assert sum(found["tailq_confidence_answers", "large", str(k)] for k in range(4)) == 212


def test_what_was_read_for_a_plan_is_not_read_again() -> None:
    """And the first stage is compared with the profile, whoever answered."""

    def read(_variant: str, _replies: Sequence[Reply]) -> list[Reading | None]:
        raise AssertionError("read twice")

    of = Live(TABLE, read, Metrics(TABLE, Views()))
    one = answer()
    one.asked = ("small", "large")
    one.readings = {"small": Reading((0.3,)), "large": Reading((0.6,))}
    of.answered(one)
    found = numbers(of)
    assert found["tailq_confidence_answers", "small", "1"] == 1
    assert not any(found["tailq_confidence_answers", "large", str(k)] for k in range(4))


def test_nobody_is_held_to_what_nobody_promised() -> None:
    """A request with a tighter deadline than any promise, were its variants gone as well."""
    of = live()
    for why in ("deadline", "unavailable"):
        hurried = answer("best_effort", best_effort=why, at=0, deadline_s=0.01)
        assert of.judge(hurried) is None
        of.answered(hurried)
    assert numbers(of)["tailq_quality_judged", "gold", "expected"] == 0


def test_best_effort_is_held_to_the_promise_at_its_deadline() -> None:
    """Though what is done was found for another deadline of the tier."""
    of = live()
    judged = of.judge(answer("best_effort", best_effort="load", at=0, deadline_s=0.2))
    assert judged is not None
    assert judged.promised == 0.9
    judged = of.judge(answer("best_effort", best_effort="load", at=-1, deadline_s=0.1))
    assert judged is not None
    assert judged.promised == 0.8


def test_requests_with_an_id_are_remembered_once_settled() -> None:
    """Those that are judged, in the order in which they ended."""
    of = live()
    told: list[tuple[bytes, Judged]] = []
    of.remember = lambda request_id, judged: told.append((request_id, judged))
    of.answered(answer(request_id=b"a"))
    of.answered(answer(request_id=b""))
    of.answered(answer("invalid", request_id=b"b"))
    of.answered(answer("late", request_id=b"c"))
    assert told == []
    of.settle()
    assert [(name, judged.in_time) for name, judged in told] == [(b"a", True), (b"c", False)]


def test_requests_are_judged_before_they_become_many_or_large() -> None:
    """Nothing that has ended is kept for long, whatever its size."""
    of = live()
    told: list[bytes] = []
    of.remember = lambda request_id, _judged: told.append(request_id)
    for number in range(AT_ONCE):
        assert len(told) == 0
        of.answered(answer(request_id=b"%d" % number))
    assert len(told) == AT_ONCE
    for size, pending in ((100_000, 0), (30_000, 1), (30_000, 2), (30_000, 0), (0, 1)):
        before = len(told)
        large = answer(request_id=b"large")
        large.result = Told(bytes(size), None, None, 0.5)
        of.answered(large)
        assert (len(told) == before) == (pending > 0)
    of.settle()
    assert len(told) == AT_ONCE + 5


def test_a_known_quality_counts_for_its_source_and_checks_what_was_expected() -> None:
    """A late answer is worth nothing, whatever a label says, and says nothing of calibration."""
    of = live()
    judged = of.judge(answer(confidence=0.9))
    late, mute = of.judge(answer("late")), of.judge(answer(name="mute"))
    assert judged is not None
    assert late is not None
    assert mute is not None
    of.tell("feedback", judged, 1.0)
    of.tell("feedback", late, 1.0)
    of.tell("probe", mute, 0.5)
    found = numbers(of)
    assert found["tailq_quality_judged", "gold", "feedback"] == 2
    assert found["tailq_quality_delivered", "gold", "feedback"] == 1.0
    assert found["tailq_quality_promised", "gold", "feedback"] == 1.8
    assert found["tailq_quality_delivered", "mute", "probe"] == 0.5
    assert found["tailq_calibration_judged", "large", "feedback"] == 1
    assert found["tailq_calibration_expected", "large", "feedback"] == judged.expected
    assert found["tailq_calibration_delivered", "large", "feedback"] == 1.0
    assert found["tailq_calibration_judged", "dumb", "probe"] == 0


def test_a_broken_promise_is_seen_and_a_kept_one_is_not() -> None:
    """Evidence passes 1, and the interval lies below what was promised."""
    of = live()
    for number in count():
        of.answered(answer("late" if number % 3 == 0 else "on_time", 1.0, name="gold"))
        of.answered(answer("on_time", 1.0, name="fast"))
        if number == 2000:
            break
    found = numbers(of)
    assert found["tailq_promise_evidence_ratio", "gold", "expected"] >= 1
    assert found["tailq_quality_upper_ratio", "gold", "expected"] < 0.9
    assert found["tailq_promise_evidence_ratio", "fast", "expected"] < 1
    assert found["tailq_quality_lower_ratio", "fast", "expected"] > 0.7


def test_every_series_is_there_from_the_start() -> None:
    """So that a first one is an increase; nothing is known yet, and nothing is claimed."""
    found = numbers(live())
    for name in TIERS:
        for source in names.SOURCES:
            assert found["tailq_quality_judged", name, source] == 0
            assert found["tailq_round_quality_ratio", name, source] == 0
            assert found["tailq_promise_evidence_ratio", name, source] < 0.1
            assert found["tailq_quality_lower_ratio", name, source] == 0
            assert found["tailq_quality_upper_ratio", name, source] == 1
    for variant in SERVED:
        assert found["tailq_confidence_unread", variant] == 0
        assert found["tailq_calibration_judged", variant, "probe"] == 0
    assert found["tailq_confidence_answers", "small", "3"] == 0


def test_after_a_reload_counters_go_on_and_evidence_starts_anew() -> None:
    """Also of a tier that is gone, of which nothing is concluded any more."""
    of = live()
    for _ in range(3000):
        of.answered(answer("late"))
        of.answered(answer(name="fast"))
    before = numbers(of)
    assert before["tailq_promise_evidence_ratio", "gold", "expected"] >= 1
    less = TABLE.model_copy(update={"tiers": (TIERS["gold"],)})
    straggler = answer(name="fast")
    of.answered(straggler)
    of.reload(less, samples.told_each)
    of.answered(straggler)
    after = numbers(of)
    counters = [spec.name for spec in names.SPECS if spec.kind == "counter"]
    assert all(after[key] >= value for key, value in before.items() if key[0] in counters)
    assert after["tailq_quality_judged", "fast", "expected"] == 3002
    assert after["tailq_promise_evidence_ratio", "gold", "expected"] < 0.1
    assert after["tailq_quality_upper_ratio", "gold", "expected"] == 1
    assert ("tailq_promise_evidence_ratio", "fast", "expected") not in after


def test_labels_of_requests_before_a_reload_are_no_evidence_of_the_promises_since() -> None:
    """They often come hours later; they count, and say nothing of what they were not about."""
    of = live()
    before = of.judge(answer())
    assert before is not None
    of.reload(TABLE, samples.told_each)
    since = of.judge(answer())
    assert since is not None
    for _ in range(3000):
        of.tell("feedback", before, 0.0)
        of.tell("feedback", since, 1.0)
    of.tell("feedback", before, 0.0, 100)
    found = numbers(of)
    assert found["tailq_quality_judged", "gold", "feedback"] == 6100
    assert found["tailq_quality_delivered", "gold", "feedback"] == 3000
    assert found["tailq_quality_promised", "gold", "feedback"] == pytest.approx(6100 * 0.9)
    assert found["tailq_round_quality_ratio", "gold", "feedback"] == 6100
    assert found["tailq_promise_evidence_ratio", "gold", "feedback"] < 0.1
    assert found["tailq_quality_lower_ratio", "gold", "feedback"] > 0.95


def test_memory_does_not_grow_with_requests_or_clients() -> None:
    """Thirty thousand requests of as many clients leave nothing behind."""
    of, one = live(), answer()

    def ask(requests: int) -> None:
        for number in range(requests):
            of.answered(replace(one, request_id=b"client %d" % number))

    ask(2000)
    tracemalloc.start()
    try:
        of.settle()
        before, _ = tracemalloc.get_traced_memory()
        ask(30_000)
        of.settle()
        after, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000
    assert most - before < 500_000
