"""The load account: what is in flight upstream, abandoned work included, until it really ends."""

from collections.abc import Callable, Mapping


def _alone() -> tuple[int, float]:
    return 0, 0.0


class Account:
    """Counts requests in flight by variant, and the device-seconds that they are worth.

    service_s: device-seconds of one request, by variant (`tailq.tier.Served`); a variant that is
    not among them counts as no work. others: tells requests and device-seconds in flight that are
    not this process's own: of sibling workers, of other gateways; elsewhere, elsewhere_s: what it
    told at the last look(). ended_s: device-seconds that have left it so far, however their calls
    ended.
    """

    def __init__(
        self,
        service_s: Mapping[str, float],
        others: Callable[[], tuple[int, float]] = _alone,
    ) -> None:
        self.service_s: dict[str, float] = {}
        self.in_flight: dict[str, int] = {}
        self.know(service_s)
        self.others = others
        self.own = 0
        self.own_s = 0.0
        self.elsewhere = 0
        self.elsewhere_s = 0.0
        self.ended_s = 0.0

    def know(self, service_s: Mapping[str, float]) -> None:
        """These variants may be asked from now on, and are worth so much."""
        self.service_s.update(service_s)
        for variant in service_s:
            self.in_flight.setdefault(variant, 0)

    def look(self) -> None:
        """Ask how much the others have in flight: once for all that is decided by it now."""
        self.elsewhere, self.elsewhere_s = self.others()

    def add(self, variant: str) -> float:
        """A request goes to `variant`. What it is worth, to be given to remove()."""
        worth_s = self.service_s.get(variant, 0.0)
        self.in_flight[variant] = self.in_flight.get(variant, 0) + 1
        self.own += 1
        self.own_s += worth_s
        return worth_s

    def remove(self, variant: str, worth_s: float) -> None:
        """Its work has really ended."""
        self.in_flight[variant] -= 1
        self.own -= 1
        self.ended_s += worth_s
        # Sums of floats drift: an empty account is exactly empty, and none holds less than nothing.
        self.own_s = max(0.0, self.own_s - worth_s) if self.own else 0.0
