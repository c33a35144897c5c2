"""Whether what is expected without labels is off, by what labels say of the same answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Final

from gateway.dataplane import IN_TIME, NOT_COUNTED
from gateway.live import names
from gateway.live.glance.numbers import Numbers
from gateway.live.view import Correction

_NORMAL_95: Final = 1.96
_ENOUGH: Final = 100.0  # labels


@dataclass(frozen=True, slots=True)
class Known:
    """Labelled answers of one variant. expected, delivered: their sums."""

    judged: float
    expected: float
    delivered: float

    @property
    def error(self) -> float:
        """Expected minus known quality, on average. There must be labels."""
        return (self.expected - self.delivered) / self.judged

    @property
    def variance(self) -> float:
        """Of that average: no more than that of as many right or wrong answers.

        An answer that is expected to be right with probability p differs from what it is by a
        variance of p (1 - p), whose mean is m (1 - m) at most.
        """
        return _variance(self.delivered, self.judged)


def surely_less(mean: float, than: float, judged: float) -> bool:
    """Whether a mean quality of so many labelled requests is less by more than chance has it."""
    return than - mean > _NORMAL_95 * sqrt(_variance(mean * judged, judged))


def _variance(right: float, count: float) -> float:
    """Of a share of right ones.

    It is shrunk to a half by two right and two wrong ones (Agresti and Coull 1998), so that the
    variance is not 0 where all are right.
    """
    share = (right + 2) / (count + 4)
    return share * (1 - share) / count


def known(numbers: Numbers) -> dict[tuple[str, str], Known]:
    """By variant and source, where there are labels."""
    labels = ("variant", "source")
    expected = numbers.by(names.CALIBRATION_EXPECTED, *labels)
    delivered = numbers.by(names.CALIBRATION_DELIVERED, *labels)
    return {
        (variant, source): Known(
            judged, expected.get((variant, source), 0.0), delivered.get((variant, source), 0.0)
        )
        for (variant, source), judged in numbers.by(names.CALIBRATION_JUDGED, *labels).items()
        if judged > 0
    }


def corrections(numbers: Numbers, tier: str) -> list[Correction]:
    """By how much a tier's expected quality is off, where that is more than chance would have it.

    The errors of the variants, as often as each answered for the tier; of what no variant answered
    nothing was expected. Chance: a 95 % interval of the mean difference that leaves 0 out. Variants
    without labels are taken to be right, so too little is said rather than too much.
    """
    requests = {
        (variant, outcome): count
        for (name, variant, outcome), count in numbers.by(
            names.REQUESTS, "tier", "variant", "outcome"
        ).items()
        if name == tier and outcome not in NOT_COUNTED
    }
    total = sum(requests.values())
    if not total:
        return []
    shares: dict[str, float] = {}
    for (variant, outcome), count in requests.items():
        if outcome in IN_TIME:
            shares[variant] = shares.get(variant, 0.0) + count / total
    return list(_significant(known(numbers), shares))


def _significant(
    labelled: dict[tuple[str, str], Known], shares: dict[str, float]
) -> Iterator[Correction]:
    for source in names.SOURCES:
        told = [
            (shares[variant], one)
            for (variant, said), one in labelled.items()
            if said == source and variant in shares
        ]
        judged = sum(one.judged for _, one in told)
        error = sum(weight * one.error for weight, one in told)
        deviation = sqrt(sum(weight**2 * one.variance for weight, one in told))
        if judged >= _ENOUGH and abs(error) > _NORMAL_95 * deviation:
            yield Correction(source, error, judged)
