"""Whether what the profile says of the variants still holds: rules/profile.yml."""

from collections.abc import Iterator
from typing import Final

from gateway.dataplane import IN_TIME
from gateway.live import names
from gateway.live.glance.correction import known
from gateway.live.glance.spans import share
from gateway.live.glance.troubles.seen import Seen, by_tier, page, percent, ticket
from gateway.live.glance.variants import answered, drifts, levels, slower
from gateway.live.view import Trouble

_STALE_S: Final = 30 * 86400.0
_ODDS: Final = 3.0  # of being beyond a quantile, over the profile's
_BEYOND_LEAST: Final = 75.0  # for chance to be ruled out
_DRIFT: Final = 0.25
_UNREAD: Final = 0.05
_UNREAD_LEAST: Final = 10.0
_ERROR: Final = 0.02
_DEVIATIONS: Final = 5.0
_LABELS_LEAST: Final = 100.0
_VARIANCE_LEAST: Final = 0.02  # where a few wrong answers follow no normal law
_DIFFERENT: Final = 0.02
_DIFFERENT_LEAST: Final = 5.0
_FAILING: Final = 0.5
_FAILING_LEAST: Final = 10.0


def found(seen: Seen) -> Iterator[Trouble]:
    """Other models, other latencies, other inputs, labels that say otherwise, or too old."""
    yield from _probes(seen)
    yield from _as_profiled(seen)
    yield from _latency(seen)
    yield from _confidence(seen)
    yield from _unread(seen)
    yield from _calibration(seen)


def _probes(seen: Seen) -> Iterator[Trouble]:
    answers = seen.longer.by(names.PROBE_ANSWERS, "variant", "result")
    for variant in sorted(seen.table.variants):
        total = sum(n for (name, _), n in answers.items() if name == variant)
        different = total - answers.get((variant, "same"), 0.0)
        ratio = share(different, total)
        if ratio is not None and ratio > _DIFFERENT and different >= _DIFFERENT_LEAST:
            yield page(
                f"{variant} answers {percent(ratio)} of probes differently than when it was "
                f"profiled; the limit is {percent(_DIFFERENT)}.",
                "TailqProbesAnswerDifferently",
            )
    for tier, outcomes in by_tier(seen.longer.by(names.PROBES, "tier", "outcome")).items():
        total = sum(outcomes.values())
        failed = sum(n for outcome, n in outcomes.items() if outcome not in IN_TIME)
        if total >= _FAILING_LEAST and failed > _FAILING * total:
            yield page(
                f"{percent(failed / total)} of probes of {tier} got no answer in time; the limit "
                f"is {percent(_FAILING)}.",
                "TailqProbesFailing",
            )


def _as_profiled(seen: Seen) -> Iterator[Trouble]:
    for (variant,), match in seen.numbers.by(names.FINGERPRINT, "variant").items():
        if not match:
            yield ticket(f"Triton serves {variant} not as it was profiled.", "TailqProfileMismatch")
    measured = seen.table.conditions.measured.timestamp()
    if seen.now - measured > _STALE_S:
        yield ticket(
            f"The profile is {(seen.now - measured) / 86400:.0f} days old; the limit is "
            f"{_STALE_S / 86400:.0f}.",
            "TailqProfileStale",
        )


def _latency(seen: Seen) -> Iterator[Trouble]:
    """One for each variant: the quantile that is exceeded by most over its limit."""
    beyond = seen.longer.by(names.BEYOND, "variant", "level")
    shares = slower(seen.longer, seen.table)
    for variant in sorted(seen.table.served):
        slow = [
            (shares[variant, level] - limit, level, limit)
            for level in levels(seen.table.served[variant])
            if (variant, level) in shares
            and beyond.get((variant, f"{level:g}"), 0.0) >= _BEYOND_LEAST
            and shares[variant, level] > (limit := _slower_at_most(1 - level))
        ]
        if slow:
            _, level, limit = max(slow)
            yield ticket(
                f"{variant} is slower than profiled: {percent(shares[variant, level])} of its "
                f"answers took longer than the profile's {level:g} quantile; the limit is "
                f"{percent(limit)}.",
                "TailqLatencyDrift",
            )


def _slower_at_most(foretold: float) -> float:
    """The share at which the odds are _ODDS times those of `foretold`."""
    return _ODDS * foretold / (1 + (_ODDS - 1) * foretold)


def _confidence(seen: Seen) -> Iterator[Trouble]:
    for variant, index in drifts(seen.longer, seen.table).items():
        if index > _DRIFT:
            yield ticket(
                f"The inputs of {variant} are not those of the profile: the population stability "
                f"index of its confidences is {index:.2f}; the limit is {_DRIFT}.",
                "TailqConfidenceDrift",
            )


def _unread(seen: Seen) -> Iterator[Trouble]:
    """Of variants whose confidence the profile knows."""
    answers = answered(seen.longer)
    for (variant,), unread in seen.longer.by(names.UNREAD, "variant").items():
        served = seen.table.served.get(variant)
        if served is None or served.spread is None:
            continue
        ratio = share(unread, answers.get(variant, 0.0))
        if ratio is not None and ratio > _UNREAD and unread >= _UNREAD_LEAST:
            yield ticket(
                f"{percent(ratio)} of the answers of {variant} do not tell how sure they are; the "
                f"limit is {percent(_UNREAD)}.",
                "TailqConfidenceUnread",
            )


def _calibration(seen: Seen) -> Iterator[Trouble]:
    for (variant, source), one in known(seen.longer).items():
        expected = one.expected / one.judged
        variance = max(expected * (1 - expected), _VARIANCE_LEAST)
        chance = _DEVIATIONS**2 * variance / one.judged
        enough = one.judged >= _LABELS_LEAST
        if enough and abs(one.error) > _ERROR and one.error**2 >= chance:
            yield ticket(
                f"What is expected of {variant} without labels is off by "
                f"{100 * one.error:+.1f} points, by {source}; the limit is {100 * _ERROR:g}.",
                "TailqCalibrationOff",
            )
