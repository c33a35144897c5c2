"""How many inferences the stopping rules take, on a stand-in for a recorded profile."""

import numpy as np
import pytest
from rich.console import Console

from tests.profiler.predict.inferences import Series, World, compare, stream, table
from tests.profiler.predict.streams import Latencies, autoregressive, bursts, independent

ROUNDS, PER_ROUND, SAMPLES = 1000, 32, 1000
DEADLINES = (0.02, 0.03)


def recorded(latencies: Latencies, seed: int) -> Series:
    """A variant that is right on nine samples of ten."""
    random = np.random.default_rng(seed)
    score = (np.arange(SAMPLES) < 900).astype(np.float64)
    latency = latencies(random, ROUNDS * PER_ROUND).reshape(ROUNDS, PER_ROUND)
    return Series(score, random.integers(0, SAMPLES, latency.shape), latency)


def test_streams_are_runs_of_consecutive_rounds() -> None:
    """Most rounds follow the one before, and every round is one that was recorded."""
    drawn = stream(np.random.default_rng(0), recorded=50, size=4000)[0]
    assert drawn.min() >= 0
    assert drawn.max() < 50
    follows = (np.diff(drawn) % 50 == 1).mean()
    assert follows == pytest.approx(1 - 1 / 8 + 1 / 8 / 50, abs=0.03)


def test_true_tail_of_a_world_without_late_answers_is_its_quality() -> None:
    """Nothing is lost in any round."""
    world = World([recorded(independent, 0)], [10.0])
    assert world.truth == pytest.approx(np.array([[0.9]]))


@pytest.mark.statistics
def test_ours_takes_at_most_half_of_the_inferences() -> None:
    """For tail qualities as exact as the published rule's; and it errs no more than asked."""
    series = [
        recorded(independent, 0),
        recorded(autoregressive(0.9), 1),
        recorded(bursts(0.05, 20.0), 2),
    ]
    world, streams, precisions = World(series, DEADLINES), 6, (0.04, 0.03, 0.02)
    rows = compare(world, precisions, most=1200, streams=streams)
    Console(width=120).print(table(world, rows, streams))
    published, ours = rows[0], rows[1]
    assert published.rounds is not None
    assert ours.rounds is not None
    assert ours.rounds <= published.rounds / 2
    assert ours.rms <= published.rms
    for precision, row in zip(precisions, rows[2:], strict=True):
        assert row.stopped == streams
        assert row.rms <= precision
