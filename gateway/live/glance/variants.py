"""How each variant does, beside what the profile says of it."""

from collections.abc import Sequence
from math import log
from typing import Final

from gateway.dataplane import IN_TIME
from gateway.live import names
from gateway.live.glance.numbers import Numbers
from gateway.live.glance.spans import share
from gateway.live.view import VariantView
from tailq.tier import Served, TierTable

# A bin that nothing fell into counts as a thousandth: its logarithm has to be something.
_LEAST: Final = 0.001
# Fewer answers differ by chance: their index is (bins - 1) / answers on average.
_ENOUGH: Final = 500.0


def views(numbers: Numbers, recent: Numbers, table: TierTable) -> list[VariantView]:
    """Of every variant that may be asked, by name. numbers: as of now. recent: of the window."""
    answers = answered(recent)
    total = sum(answers.values())
    in_flight = numbers.by(names.IN_FLIGHT, "variant")
    limits = numbers.by(names.LIMIT, "variant")
    corrections = numbers.by(names.CORRECTION, "variant")
    matches = numbers.by(names.FINGERPRINT, "variant")
    absent = numbers.by(names.ABSENT, "variant")
    slow, drifted = slower(recent, table), drifts(recent, table)
    found = []
    for name in sorted(table.variants):
        level, match = max(levels(table.served.get(name)), default=None), matches.get((name,))
        found.append(
            VariantView(
                name=name,
                share=share(answers.get(name, 0.0), total),
                in_flight=in_flight.get((name,), 0.0),
                limit=limits.get((name,)),
                correction=corrections.get((name,)),
                slower=None if level is None else slow.get((name, level)),
                expected_slower=None if level is None else 1 - level,
                drift=drifted.get(name),
                as_profiled=None if match is None else bool(match),
                absent=bool(absent.get((name,), 0.0)),
            )
        )
    return found


def slower(numbers: Numbers, table: TierTable) -> dict[tuple[str, float], float]:
    """Share of a variant's latencies beyond each quantile of the profile's, by name and level."""
    compared = numbers.by(names.COMPARED, "variant")
    beyond = numbers.by(names.BEYOND, "variant", "level")
    return {
        (name, level): beyond.get((name, f"{level:g}"), 0.0) / count
        for (name,), count in compared.items()
        for level in levels(table.served.get(name))
        if count > 0
    }


def drifts(numbers: Numbers, table: TierTable) -> dict[str, float]:
    """Population stability index of each variant's confidences, where there are enough answers."""
    counts = numbers.by(names.CONFIDENCE, "variant", "bin")
    found = {}
    for name, served in table.served.items():
        if served.spread is None:
            continue
        bins = [counts.get((name, str(n)), 0.0) for n in range(len(served.spread.share))]
        total = sum(bins)
        if total >= _ENOUGH:
            found[name] = stability_index([each / total for each in bins], served.spread.share)
    return found


def stability_index(found: Sequence[float], profiled: Sequence[float]) -> float:
    """Population stability index of two distributions over the same bins: sum (o - e) ln(o / e).

    0 where they are the same; above 0.25 they are held to differ in earnest (Siddiqi 2006, Credit
    Risk Scorecards). Bins of less than a thousandth count as that within the logarithm.
    """
    return sum(
        (o - e) * log(max(o, _LEAST) / max(e, _LEAST)) for o, e in zip(found, profiled, strict=True)
    )


def answered(numbers: Numbers) -> dict[str, float]:
    """Answers in time, by the variant whose they were."""
    answers: dict[str, float] = {}
    for (variant, outcome), count in numbers.by(names.REQUESTS, "variant", "outcome").items():
        if outcome in IN_TIME:
            answers[variant] = answers.get(variant, 0.0) + count
    return answers


def levels(served: Served | None) -> tuple[float, ...]:
    """The quantiles of a variant's latency that the profile knows."""
    if served is None or served.under_load is None:
        return ()
    return tuple(quantile.level for quantile in served.under_load.quantiles)
