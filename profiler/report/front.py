"""Which variants are worth having: nobody is better without being slower."""

from collections.abc import Sequence
from dataclasses import dataclass

from tailq.profile import Profile


@dataclass(frozen=True)
class Standing:
    """Where a variant stands, as measured. Latency in seconds at the highest profiled load.

    quality: without a deadline. dominated_by: a variant at least as good and no slower, at the
    median and at the 99th percentile, and better in one of the three; None on the front.
    """

    variant: str
    quality: float
    p50_s: float
    p99_s: float
    dominated_by: str | None = None


def standings(profile: Profile) -> tuple[Standing, ...]:
    """Every variant's standing at the highest load, best quality first."""
    load = max(profile.loads)
    at_load = [
        Standing(variant.name, variant.quality, at.p50_s, at.p99_s)
        for variant in profile.variants
        for at in variant.loads
        if at.load == load
    ]
    best_first = sorted(at_load, key=lambda s: (-s.quality, s.p50_s, s.variant))
    return tuple(
        Standing(s.variant, s.quality, s.p50_s, s.p99_s, _dominator(s, best_first))
        for s in best_first
    )


def _dominator(own: Standing, others: Sequence[Standing]) -> str | None:
    """The best of those that dominate it; `others` are best first."""
    key = (-own.quality, own.p50_s, own.p99_s)
    for other in others:
        theirs = (-other.quality, other.p50_s, other.p99_s)
        if theirs != key and all(t <= o for t, o in zip(theirs, key, strict=True)):
            return other.variant
    return None
