"""What is asked in a round."""

import numpy as np
import pytest

from profiler.measure.conditions import Condition
from profiler.measure.rounds import Round, by_variant, draw

BUSY, ALONE, OPEN = Condition(1), Condition(1, alone=True), Condition(share=0.5)


def drawn(seed: int = 0, condition: Condition = BUSY, number: int = 0) -> Round:
    return draw(seed, condition, number, variants=3, samples=50, per_variant=8, rate=100.0)


@pytest.mark.parametrize("condition", [BUSY, ALONE, OPEN])
def test_a_round_can_be_drawn_again(condition: Condition) -> None:
    """A resumed run asks the same as one that was never interrupted."""
    one, other = drawn(condition=condition), drawn(condition=condition)
    assert np.array_equal(one.variant, other.variant)
    assert np.array_equal(one.sample, other.sample)
    assert np.array_equal(one.due_s, other.due_s)  # type: ignore[arg-type]  # None is None


@pytest.mark.parametrize("condition", [BUSY, ALONE, OPEN])
def test_every_variant_is_asked_the_same_samples(condition: Condition) -> None:
    """A round is paired: each variant once for each of its samples, and no sample twice."""
    round_ = drawn(condition=condition)
    asked = [sorted(round_.sample[round_.variant == variant].tolist()) for variant in range(3)]
    assert asked[0] == asked[1] == asked[2]
    assert len(set(asked[0])) == 8


def test_seed_condition_and_number_make_a_round_its_own() -> None:
    """Rounds differ from each other."""
    conditions = (BUSY, Condition(2), ALONE, OPEN, Condition(share=0.8))
    rounds = [drawn(condition=condition) for condition in conditions]
    rounds += [drawn(seed=1), drawn(number=1)]
    assert len({tuple(round_.sample.tolist()) for round_ in rounds}) == 7


def test_variants_are_interleaved() -> None:
    """Over many rounds a variant is asked as early as any other, so that drift hits all alike."""
    positions = np.array([np.flatnonzero(drawn(number=n).variant == 0).mean() for n in range(200)])
    assert abs(positions.mean() - 11.5) < 4 * positions.std() / np.sqrt(200)


def test_alone_each_variant_has_its_own_part_in_any_order() -> None:
    """One variant after the other; over many rounds each comes first as often as any other."""
    rounds = [drawn(condition=ALONE, number=n) for n in range(300)]
    parts = [by_variant(round_) for round_ in rounds]
    assert {len(each) for each in parts} == {3}
    assert {part.variant.size for each in parts for part in each} == {8}
    joined = np.concatenate([part.sample for part in parts[0]])
    assert joined.tolist() == rounds[0].sample.tolist()
    first = np.bincount([int(each[0].variant[0]) for each in parts])
    assert (np.abs(first - 100) < 4 * np.sqrt(300 * 2 / 9)).all()


def test_arrivals_in_an_open_loop_are_poisson() -> None:
    """Gaps between them are exponential: mean and deviation are one over the rate."""
    due = [drawn(condition=OPEN, number=number).due_s for number in range(200)]
    gaps = np.diff(np.stack([each for each in due if each is not None]), prepend=0.0)
    assert gaps.size == 200 * 24
    assert gaps.min() > 0
    assert gaps.mean() == pytest.approx(0.01, rel=4 / np.sqrt(gaps.size))
    assert gaps.std() == pytest.approx(0.01, rel=0.1)
    assert drawn().due_s is None


def test_small_data_sets_are_timed_whole() -> None:
    """A round has no more samples than there are."""
    assert sorted(draw(0, BUSY, 0, variants=1, samples=3, per_variant=32).sample) == [0, 1, 2]
