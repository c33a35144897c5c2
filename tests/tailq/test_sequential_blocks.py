"""Many requests at once say what one after the other would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailq.sequential import ConfidenceSequence, PromiseWatch

requests = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.4, 1.0]) | st.floats(0, 1), st.sampled_from([0.5, 0.9, 0.95])
    ),
    max_size=300,
)


@given(requests, st.integers(1, 200))
def test_together_they_are_worth_as_much(given: list[tuple[float, float]], together: int) -> None:
    """In blocks of any size, unless evidence was so abundant that some was thrown away."""
    alone, blocks = PromiseWatch(0.01), PromiseWatch(0.01)
    one, other = ConfidenceSequence(0.01), ConfidenceSequence(0.01)
    abundant = False
    for quality, promised in given:
        alone.observe(quality, promised)
        one.observe(quality)
        abundant = abundant or alone.evidence > 3
    figures = np.array(given).reshape(len(given), 2)
    for start in range(0, len(given), together):
        block = figures[start : start + together]
        blocks.observe_all(block[:, 0], block[:, 1])
        other.observe_all(block[:, 0])
    if abundant:
        assert blocks.evidence >= 0.0
    else:
        assert blocks.evidence == pytest.approx(alone.evidence, rel=1e-6)
    assert other.interval == pytest.approx(one.interval, abs=1e-9)


def test_over_many_epochs_they_are_worth_as_much() -> None:
    """Blocks do not fit epochs."""
    draw = np.random.default_rng(0)
    quality = (draw.random(20_000) < 0.9).astype(float)
    alone, blocks = PromiseWatch(0.01), PromiseWatch(0.01)
    for each in quality.tolist():
        alone.observe(each, 0.9)
    for start in range(0, quality.size, 100):
        block = quality[start : start + 100]
        blocks.observe_all(block, np.full(block.size, 0.9))
    assert blocks.evidence == pytest.approx(alone.evidence, rel=1e-6)


@pytest.mark.parametrize("promised", [0.0, 0.5, 0.999, 1.0])
@pytest.mark.parametrize("quality", [0.0, 1.0])
def test_the_worst_and_the_best_streams_stay_finite(quality: float, promised: float) -> None:
    """The factors of a block neither overflow nor vanish."""
    watch = PromiseWatch(0.001)
    for _ in range(50):
        watch.observe_all(np.full(640, quality), np.full(640, promised))
        assert 0.0 <= watch.evidence <= 20.0
    assert (watch.evidence >= 1.0) == (quality < promised)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_what_is_no_ratio_is_refused(wrong: float) -> None:
    """As one by one."""
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        PromiseWatch(0.1).observe_all(np.array([0.5, wrong]), np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        ConfidenceSequence(0.1).observe_all(np.array([wrong]))
