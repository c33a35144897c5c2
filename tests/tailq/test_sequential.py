"""What holds at every moment: against its definition, theory, simulations and degenerate data."""

import copy
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats

from tailq.sequential import ConfidenceSequence, PromiseWatch

Floats = NDArray[np.float64]
RATIO = st.floats(0, 1)
PAIRS = st.lists(st.tuples(RATIO, RATIO), max_size=60)
STAKES = (0.8, 0.2, 0.05, 0.0125, 0.003125)


def watched(pairs: Iterable[tuple[float, float]], alpha: float) -> PromiseWatch:
    watch = PromiseWatch(alpha)
    for quality, promised in pairs:
        watch.observe(quality, promised)
    return watch


def alarm_at(qualities: Floats, promised: float, watch: PromiseWatch) -> int | None:
    """After how many of these requests the promise is seen broken."""
    for index, quality in enumerate(qualities.tolist(), start=1):
        watch.observe(quality, promised)
        if watch.evidence >= 1:
            return index
    return None


def more_often_than(alarms: int, runs: int, alpha: float) -> bool:
    """Whether so many alarms refute the nominal rate (one-sided, at 1 in 10,000)."""
    return bool(stats.binomtest(alarms, runs, alpha, alternative="greater").pvalue < 1e-4)


def by_definition(quality: Floats, promised: Floats, alpha: float) -> Floats:
    """Evidence after each request, nothing thrown away: each start of each stake by itself."""
    n = quality.size
    epoch = np.floor(np.log2(np.arange(n) / 1024 + 1)).astype(int)
    start = 1 / ((epoch + 1) * (epoch + 2)) / (1024 * 2.0**epoch)
    won = (promised - quality) / np.maximum(1 - promised, 0.001)
    total = 1 - np.cumsum(start)
    for stake in STAKES:
        capital = np.cumsum(np.log1p(stake * won))
        before = np.concatenate(([0.0], capital[:-1]))
        total += np.exp(capital + np.logaddexp.accumulate(np.log(start / len(STAKES)) - before))
    return np.asarray(alpha * total)


@given(PAIRS, st.floats(0.001, 0.5))
def test_evidence_is_what_its_definition_says(
    pairs: list[tuple[float, float]], alpha: float
) -> None:
    """A request at a time gives what all starts and stakes give that are followed separately."""
    quality, promised = np.array(pairs, dtype=float).reshape(-1, 2).T
    evidence = [watched(pairs[: n + 1], alpha).evidence for n in range(len(pairs))]
    defined = by_definition(quality, promised, alpha)
    kept = np.maximum.accumulate(defined) <= 3.9  # no stake has more than it may keep
    np.testing.assert_allclose(np.array(evidence)[kept], defined[kept], rtol=1e-9)
    assert np.all(np.array(evidence) <= defined * (1 + 1e-9))


def test_evidence_is_what_its_definition_says_over_several_epochs() -> None:
    """The same after 10,000 requests at the promise."""
    rng = np.random.default_rng(1)
    quality = (rng.random(10_000) < 0.9).astype(float)
    watch = PromiseWatch(0.05)
    evidence = []
    for value in quality.tolist():
        watch.observe(value, 0.9)
        evidence.append(watch.evidence)
    np.testing.assert_allclose(
        evidence, by_definition(quality, np.full(10_000, 0.9), 0.05), rtol=1e-9
    )


@given(PAIRS, RATIO, RATIO, RATIO, RATIO)
def test_evidence_is_never_expected_to_grow_while_the_promise_is_kept(
    pairs: list[tuple[float, float]], promised: float, low: float, high: float, more: float
) -> None:
    """After any past, whatever is promised, any two qualities whose mean is at least that."""
    worse, better = promised * low, promised + (1 - promised) * high
    least = (promised - worse) / (better - worse) if better > worse else 1.0
    chance = least + (1 - least) * more
    before = watched(pairs, 0.05)
    after_better, after_worse = copy.copy(before), copy.copy(before)
    after_better.observe(better, promised)
    after_worse.observe(worse, promised)
    expected = chance * after_better.evidence + (1 - chance) * after_worse.evidence
    assert expected <= before.evidence * (1 + 1e-9)


def test_a_kept_promise_is_called_broken_no_more_often_than_alpha() -> None:
    """Right or wrong at just the promise, looked at after every request, at some alpha."""
    rng = np.random.default_rng(2)
    runs, alpha = 400, 0.2
    alarms = sum(
        alarm_at((rng.random(1500) < 0.8).astype(float), 0.8, PromiseWatch(alpha)) is not None
        for _ in range(runs)
    )
    assert not more_often_than(alarms, runs, alpha)
    assert alarms > 0.1 * alpha * runs  # a test that never alarms would pass, too


def test_whoever_chooses_promise_and_quality_by_the_past_raises_no_more_alarms() -> None:
    """An adversary who sees the evidence and picks what is riskiest, its mean just as promised."""
    rng = np.random.default_rng(3)
    runs, alpha = 300, 0.2
    alarms = 0
    for _ in range(runs):
        watch = PromiseWatch(alpha)
        for _ in range(1000):
            # Far from an alarm a rare loss that pays most, near one small steps.
            promised = 0.99 if watch.evidence < 0.3 else 0.5
            watch.observe(float(rng.random() < promised), promised)
            if watch.evidence >= 1:
                alarms += 1
                break
    assert not more_often_than(alarms, runs, alpha)


def test_qualities_that_depend_on_each_other_raise_no_more_alarms() -> None:
    """A mean that wanders, always at or above the promise given the past, as graded values."""
    rng = np.random.default_rng(4)
    runs, alpha = 200, 0.2
    alarms = 0
    for _ in range(runs):
        state = np.zeros(1000)
        for t in range(1, 1000):
            state[t] = 0.95 * state[t - 1] + rng.normal(0, 0.05)
        mean = 0.7 + np.clip(np.abs(state), 0, 0.29)
        mean[::2] = 0.7  # every other one at just the promise
        alarms += alarm_at(rng.beta(5 * mean, 5 * (1 - mean)), 0.7, PromiseWatch(alpha)) is not None
    assert not more_often_than(alarms, runs, alpha)


@pytest.mark.parametrize("drop", [0.03, 0.1, 0.3, 0.9])
def test_a_broken_promise_is_noticed_about_as_fast_as_can_be(drop: float) -> None:
    """Not before what any test needs, and not after what the best of its stakes and starts needs.

    No test notices in fewer than log(1 / alpha) / D requests on average, with D the relative
    entropy of delivered and promised (Wald 1945).
    """
    rng = np.random.default_rng(5)
    alpha, promised, good = 0.004, 0.95, 2000
    delivered = promised - drop
    entropy = float(stats.entropy([delivered, 1 - delivered], [promised, 1 - promised]))
    growth = max(
        delivered * np.log1p(-stake) + drop_part * np.log1p(stake * promised / (1 - promised))
        for stake in STAKES
        for drop_part in [1 - delivered]
    )
    start = 1 / (2 * 3) / 2048 / len(STAKES)  # what starts at one request, after so many good ones
    delays = []
    for _ in range(30):
        watch = watched(((float(x), promised) for x in rng.random(good) < promised), alpha)
        broken = (rng.random(20_000) < delivered).astype(float)
        delays.append(alarm_at(broken, promised, watch) or np.inf)
    assert np.mean(delays) >= 0.8 * np.log(1 / alpha) / entropy
    assert np.median(delays) <= 1.1 * np.log(1 / (alpha * start)) / growth + 1


def test_a_long_good_past_does_not_hide_a_break() -> None:
    """After 100,000 good requests a break of 20 points takes less than thrice as long."""
    rng = np.random.default_rng(6)

    def delay(good: int) -> float:
        watch = watched(((float(x), 0.93) for x in rng.random(good) < 0.93), 0.004)
        found = [
            alarm_at((rng.random(2000) < 0.73).astype(float), 0.93, copy.copy(watch))
            for _ in range(20)
        ]
        return float(np.median([at or np.inf for at in found]))

    assert delay(100_000) < 3 * delay(1000)


@pytest.mark.parametrize("drop", [0.05, 0.2, 0.8])
@pytest.mark.parametrize("bad", [4000, 20_000])
def test_a_promise_that_is_kept_again_is_said_to_be(bad: int, drop: float) -> None:
    """At two points above it, within some thousand requests, however long it was broken."""
    rng = np.random.default_rng(7)
    delays = []
    for _ in range(7):
        watch = watched(((float(x), 0.93) for x in rng.random(bad) < 0.93 - drop), 0.004)
        delays.append(0)
        while watch.evidence >= 1:
            watch.observe(float(rng.random() < 0.95), 0.93)
            delays[-1] += 1
    assert 0 < np.median(delays) < 4000


def test_a_break_that_comes_in_bursts_is_not_forgotten_between_them() -> None:
    """Once it was said, it goes on being said but for a few requests in a hundred."""
    rng = np.random.default_rng(9)
    silent = []
    for _ in range(7):
        bad = np.repeat(rng.random(160) < 0.3, 50)  # nothing in time for 50 requests each
        watch, told = PromiseWatch(0.004), []
        for late, right in zip(bad, rng.random(bad.size) < 0.95, strict=True):
            watch.observe(float(right and not late), 0.93)
            told.append(watch.evidence >= 1)
        silent.append(np.mean(np.logical_not(told[told.index(True) :])))
    assert np.median(silent) < 0.1


def test_replicas_that_each_see_a_part_agree_on_average() -> None:
    """The mean over 16 says broken when all see it, and over 4 when one sees nothing else."""
    rng = np.random.default_rng(8)

    def evidence(quality: float) -> float:
        return watched(((float(x), 0.93) for x in rng.random(300) < quality), 0.004).evidence

    assert np.mean([evidence(0.6) for _ in range(16)]) >= 1
    assert np.mean([evidence(0.6), *(evidence(0.94) for _ in range(3))]) >= 1
    assert np.mean([evidence(0.94) for _ in range(16)]) < 1


@pytest.mark.parametrize("promised", [0.0, 0.001, 0.5, 0.93, 0.9999, 1.0])
def test_what_is_always_right_or_just_as_promised_is_no_evidence(promised: float) -> None:
    """Evidence stays at or below what it began with, 1 of the 1 / alpha that are needed."""
    for quality in (1.0, promised):
        assert watched([(quality, promised)] * 3000, 0.05).evidence <= 0.05 * (1 + 1e-9)


@pytest.mark.parametrize("promised", [0.5, 0.93, 0.9999, 1.0])
def test_what_is_always_wrong_is_noticed_at_once(promised: float) -> None:
    """Within a few tens of requests, and evidence is bounded for ever."""
    assert (alarm_at(np.zeros(100), promised, PromiseWatch(0.004)) or 100) < 40
    assert watched([(0.0, promised)] * 5000, 0.004).evidence == pytest.approx(20)


def test_what_is_never_quite_right_breaks_a_promise_of_one() -> None:
    """A promise of 1 leaves nothing, not even a thousandth."""
    assert alarm_at(np.full(200, 0.999), 1.0, PromiseWatch(0.004)) is not None


@pytest.mark.parametrize("pair", [(float("nan"), 0.9), (0.9, float("nan")), (1.1, 0.9), (0.9, -1)])
def test_figures_that_are_no_qualities_are_refused_and_change_nothing(
    pair: tuple[float, float],
) -> None:
    """They can only come from a mistake of ours, and one of them would silence the watch."""
    watch = watched([(0.0, 0.9)] * 3, 0.05)
    evidence = watch.evidence
    with pytest.raises(ValueError, match=r"not in \[0, 1\]"):
        watch.observe(*pair)
    assert watch.evidence == evidence


@pytest.mark.parametrize("alpha", [0.0, 1.0, -1.0, float("nan")])
def test_an_alpha_that_is_no_chance_is_refused(alpha: float) -> None:
    """Both say which alpha they were given."""
    with pytest.raises(ValueError, match="alpha"):
        PromiseWatch(alpha)
    with pytest.raises(ValueError, match="alpha"):
        ConfidenceSequence(alpha)


def sequence_of(values: Iterable[float], alpha: float) -> ConfidenceSequence:
    sequence = ConfidenceSequence(alpha)
    for value in values:
        sequence.observe(value)
    return sequence


def half_width(values: Floats, alpha: float) -> float:
    """As the method says, from all values: a single rate a time, the root by SciPy."""
    mean_before = (np.concatenate(([0.0], np.cumsum(values)[:-1])) + 0.5) / np.arange(
        1, values.size + 1
    )
    scatter = np.sum((values - mean_before) ** 2)
    rates = [0.9 / 2**k for k in range(16)]

    def short_of(deviation: float) -> float:
        logs = [
            r * deviation - (-np.log(1 - r) - r) * scatter - np.log((k + 1) * (k + 2))
            for k, r in enumerate(rates)
        ]
        return float(np.logaddexp.reduce(logs) - np.log(2 / alpha))

    return float(optimize.brentq(short_of, 0, 1e7, xtol=1e-9)) / values.size


@settings(max_examples=50)
@given(st.lists(RATIO, min_size=1, max_size=50), st.floats(1e-6, 0.5))
def test_the_interval_is_what_the_mixture_says(values: list[float], alpha: float) -> None:
    """Kept in three sums and found by Newton's method, it is that of all values; and in [0, 1]."""
    lower, upper = sequence_of(values, alpha).interval
    half = half_width(np.array(values), alpha)
    mean = float(np.mean(values))
    assert lower == pytest.approx(max(0, mean - half), abs=1e-6)
    assert upper == pytest.approx(min(1, mean + half), abs=1e-6)
    assert 0 <= lower <= mean + 1e-12
    assert mean - 1e-12 <= upper <= 1


def ever_missed(values: Floats, means: Floats, alpha: float) -> bool:
    """Whether any of many looks finds the running mean outside of the interval."""
    sequence = ConfidenceSequence(alpha)
    true = np.cumsum(means) / np.arange(1, means.size + 1)
    looks = set(np.unique(np.geomspace(1, values.size, 60).astype(int)).tolist())
    for n, value in enumerate(values.tolist(), start=1):
        sequence.observe(value)
        if n in looks:
            lower, upper = sequence.interval
            if not lower <= true[n - 1] <= upper:
                return True
    return False


@pytest.mark.parametrize("kind", ["right or wrong", "nearly equal", "a mean that moves"])
def test_the_interval_covers_at_all_times(kind: str) -> None:
    """Of many streams, no more than alpha ever leave it, at any of the times it is looked at."""
    rng = np.random.default_rng(9)
    runs, alpha, n = 200, 0.2, 2000
    mean = (
        np.full(n, 0.9) if kind != "a mean that moves" else np.where(np.arange(n) < 500, 0.9, 0.3)
    )
    missed = sum(
        ever_missed(
            rng.beta(90, 10, n) if kind == "nearly equal" else (rng.random(n) < mean) * 1.0,
            mean,
            alpha,
        )
        for _ in range(runs)
    )
    assert not more_often_than(missed, runs, alpha)


def hedged(values: Floats, alpha: float) -> tuple[float, float]:
    """Waudby-Smith & Ramdas, arXiv 2010.09686, section 4.2: hedged capital, not intersected."""
    n = np.arange(1, values.size + 1)
    mean = (0.5 + np.cumsum(values)) / (n + 1)
    variance = (0.25 + np.cumsum((values - mean) ** 2)) / (n + 1)
    before = np.concatenate(([0.25], variance[:-1]))
    stakes = np.sqrt(2 * np.log(2 / alpha) / (before * n * np.log1p(n)))

    def stands(m: float) -> bool:
        up = np.log1p(np.minimum(stakes, 0.5 / m) * (values - m)).sum()
        down = np.log1p(-np.minimum(stakes, 0.5 / (1 - m)) * (values - m)).sum()
        return bool(max(up, down) < np.log(2 / alpha))

    grid = np.linspace(0.0005, 0.9995, 2000)
    standing = grid[[stands(m) for m in grid]]
    return float(standing.min()), float(standing.max())


@pytest.mark.parametrize("graded", [False, True])
def test_the_interval_is_nearly_as_narrow_as_by_betting(graded: bool) -> None:
    """At most 1.4 times hedged capital, which is not O(1), and twice that of a fixed n or so."""
    rng = np.random.default_rng(10)
    alpha, n = 0.05, 5000
    values = 1 - 0.65 * rng.beta(0.25, 1.75, n) if graded else (rng.random(n) < 0.93) * 1.0
    lower, upper = sequence_of(values.tolist(), alpha).interval
    other = hedged(values, alpha)
    assert upper - lower < 1.4 * (other[1] - other[0])
    fixed = 2 * stats.norm.isf(alpha / 2) * values.std() / np.sqrt(n)
    assert fixed < upper - lower < 2.3 * fixed


def test_nothing_is_known_of_no_value() -> None:
    """The interval is all there is, and a value outside of [0, 1] is refused."""
    sequence = ConfidenceSequence(0.05)
    assert sequence.interval == (0.0, 1.0)
    for wrong in (float("nan"), 1.1, -0.1):
        with pytest.raises(ValueError, match=r"not in \[0, 1\]"):
            sequence.observe(wrong)
    assert sequence.interval == (0.0, 1.0)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_values_that_never_differ_are_pinned_down(value: float) -> None:
    """After n of them the other end is about log(2 / alpha) / n away, as for a proportion."""
    lower, upper = sequence_of([value] * 10_000, 0.05).interval
    assert value in (lower, upper)
    assert upper - lower < 3 * np.log(2 / 0.05) / 10_000
