"""How each tier's requests of a span of time went."""

from gateway.dataplane import IN_TIME, NOT_COUNTED
from gateway.live import names
from gateway.live.glance.numbers import Numbers
from gateway.live.glance.quantile import quantile
from gateway.live.view import Span


class Spans:
    """numbers: of counters, as they stand since the start, or what was added in a while."""

    def __init__(self, numbers: Numbers) -> None:
        self._requests = numbers.by(names.REQUESTS, "tier", "outcome")
        self._judged = numbers.by(names.JUDGED, "tier", "source")
        self._delivered = numbers.by(names.DELIVERED, "tier", "source")
        self._promised = numbers.by(names.PROMISED, "tier", "source")
        self._rounds: dict[str, list[tuple[float, float]]] = {}
        for (tier, source, edge), count in numbers.by(names.ROUND, "tier", "source", "le").items():
            if source == "expected":
                self._rounds.setdefault(tier, []).append((float(edge), count))

    def of(self, tier: str) -> Span:
        """One tier's."""
        outcomes = {outcome: n for (name, outcome), n in self._requests.items() if name == tier}
        judged: dict[str, float] = {
            source: self._judged.get((tier, source), 0.0) for source in names.SOURCES
        }
        rounds = sorted(self._rounds.get(tier, ()))
        return Span(
            by_outcome=outcomes,
            judged=judged,
            promised=self._promised_to(tier, judged),
            delivered={
                source: share(self._delivered.get((tier, source), 0.0), count)
                for source, count in judged.items()
            },
            on_time=on_time(outcomes),
            tail_5=quantile(0.05, rounds),
            tail_1=quantile(0.01, rounds),
        )

    def _promised_to(self, tier: str, judged: dict[str, float]) -> float | None:
        """All that were judged are among those that are judged without labels."""
        return share(self._promised.get((tier, "expected"), 0.0), judged["expected"])


def on_time(outcomes: dict[str, float]) -> float | None:
    """Share of answers by the deadline."""
    counted = sum(n for outcome, n in outcomes.items() if outcome not in NOT_COUNTED)
    return share(sum(n for outcome, n in outcomes.items() if outcome in IN_TIME), counted)


def share(part: float, whole: float) -> float | None:
    """None: of nothing."""
    return part / whole if whole > 0 else None
