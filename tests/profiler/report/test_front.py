"""Dominated variants."""

from collections.abc import Sequence

import pytest

from profiler.report.front import standings
from tailq.profile import Profile, VariantAtLoad
from tests.profiler.report import synthetic

_PROFILE = synthetic.profile(synthetic.evidence())


def _of(figures: Sequence[tuple[float, float, float]]) -> Profile:
    """A profile of variants a, b, ... with these qualities, p50 and p99 at the highest load."""
    variants = []
    for variant, name, (quality, p50_s, p99_s) in zip(
        _PROFILE.variants, "abcdefg", figures, strict=False
    ):
        loads = [
            VariantAtLoad(
                load=at.load, rounds=1, requests=1, p50_s=p50_s, p99_s=p99_s, at_deadlines=()
            )
            if at.load == 4
            else at
            for at in variant.loads
        ]
        changed = {"name": name, "quality": quality, "loads": tuple(loads)}
        variants.append(variant.model_copy(update=changed))
    return _PROFILE.model_copy(update={"variants": tuple(variants)})


@pytest.mark.parametrize(
    ("figures", "dominated"),
    [
        ([(0.9, 0.01, 0.02), (0.8, 0.005, 0.01)], {}),
        ([(0.9, 0.01, 0.02), (0.8, 0.02, 0.03)], {"b": "a"}),
        ([(0.9, 0.01, 0.02), (0.8, 0.01, 0.02)], {"b": "a"}),
        ([(0.9, 0.01, 0.02), (0.9, 0.01, 0.02)], {}),
        ([(0.9, 0.01, 0.02), (0.8, 0.02, 0.01)], {}),  # a better 99th percentile is something
        ([(0.8, 0.02, 0.03), (0.9, 0.01, 0.02), (0.95, 0.01, 0.02)], {"a": "c", "b": "c"}),
    ],
)
def test_dominated_is_who_is_no_better_and_no_faster(
    figures: Sequence[tuple[float, float, float]], dominated: dict[str, str]
) -> None:
    """A variant is dominated by one at least as good at the median, the tail and in quality."""
    found = {s.variant: s.dominated_by for s in standings(_of(figures)) if s.dominated_by}
    assert found == dominated


def test_the_best_stands_first() -> None:
    """Standings go by quality, so that ranks (and colours) do."""
    qualities = [s.quality for s in standings(_PROFILE)]
    assert qualities == sorted(qualities, reverse=True)
