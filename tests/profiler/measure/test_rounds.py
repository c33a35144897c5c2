"""What is asked in a round."""

import numpy as np

from profiler.measure.rounds import Round, draw


def drawn(seed: int = 0, load: int = 1, number: int = 0) -> Round:
    return draw(seed, load, number, variants=3, samples=50, per_variant=8)


def test_a_round_can_be_drawn_again() -> None:
    """A resumed run asks the same as one that was never interrupted."""
    one, other = drawn(), drawn()
    assert np.array_equal(one.variant, other.variant)
    assert np.array_equal(one.sample, other.sample)


def test_every_variant_is_asked_the_same_samples() -> None:
    """A round is paired: each variant once for each of its samples, and no sample twice."""
    round_ = drawn()
    asked = [sorted(round_.sample[round_.variant == variant].tolist()) for variant in range(3)]
    assert asked[0] == asked[1] == asked[2]
    assert len(set(asked[0])) == 8


def test_seed_load_and_number_make_a_round_its_own() -> None:
    """Rounds differ from each other."""
    rounds = [drawn(), drawn(seed=1), drawn(load=2), drawn(number=1)]
    assert len({tuple(round_.sample.tolist()) for round_ in rounds}) == 4


def test_variants_are_interleaved() -> None:
    """Over many rounds a variant is asked as early as any other, so that drift hits all alike."""
    positions = np.array([np.flatnonzero(drawn(number=n).variant == 0).mean() for n in range(200)])
    assert abs(positions.mean() - 11.5) < 4 * positions.std() / np.sqrt(200)


def test_small_data_sets_are_timed_whole() -> None:
    """A round has no more samples than there are."""
    assert sorted(draw(0, 1, 0, variants=1, samples=3, per_variant=32).sample) == [0, 1, 2]
