"""What is said of a tier at a glance, and by whose word."""

import pytest
from scipy.stats import binom

from gateway.live.glance.correction import surely_less
from gateway.live.glance.verdicts import verdict
from gateway.live.names import SOURCES, Source
from gateway.live.view import Span


def window(expected: float | None, feedback: float | None = None, labels: float = 200) -> Span:
    """Of requests that were promised 90 %."""
    return Span(
        by_outcome={"on_time": 1000},
        judged={"expected": 1000, "feedback": labels, "probe": 0},
        promised=None if expected is None else 0.9,
        delivered={"expected": expected, "feedback": feedback, "probe": None},
        on_time=1.0,
        tail_5=None,
        tail_1=None,
    )


@pytest.mark.parametrize(
    ("told", "says"),
    [
        (window(0.95, 0.80), ("below", ["feedback"])),
        (window(0.89, 0.80), ("below", ["expected", "feedback"])),
        (window(0.95, 0.87), ("kept", [])),  # in 200 labels that is chance
        (window(0.95, 0.87, 2000), ("below", ["feedback"])),
        (window(None, 0.2), ("idle", [])),
    ],
)
def test_labels_that_contradict_are_believed(told: Span, says: tuple[str, list[Source]]) -> None:
    """What is expected without them does not see variants that are wrongly sure."""
    assert verdict(dict.fromkeys(SOURCES, 0.5), told) == says


def test_proof_stays_when_nobody_asks() -> None:
    """A tier that is idle now is as broken as it was."""
    assert verdict({"expected": 0.1, "feedback": 1.0}, window(None)) == ("broken", ["feedback"])


@pytest.mark.parametrize("promised", [0.8, 0.9, 0.93, 0.97, 0.99])
def test_labels_of_a_kept_promise_rarely_say_otherwise(promised: float) -> None:
    """In one look of twenty at most, where quality is just what was promised."""
    for count in range(1, 400):
        most = max(
            (n for n in range(count + 1) if surely_less(n / count, promised, count)), default=-1
        )
        assert binom.cdf(most, count, promised) <= 0.05
