"""What requests really take, where their plan alone does not say it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tailq.plan import Cascade, Plan, Rescue

# Plans that may ask more than they begin with: how often they do depends on what is asked of them.
_GROWING: Final = frozenset((Cascade, Rescue))


@dataclass(slots=True)
class _Lately:
    """Weights of a plan's requests, and of the device-seconds they took; as of `last`, seconds."""

    last: float
    count: float = 0.0
    work_s: float = 0.0


class Taken:
    """Device-seconds that requests of each plan have taken lately.

    A profile knows how often its own samples went on to the next stage of a cascade. Others may be
    harder; if all of them go on, a cascade takes several times as much. So the mean is over the
    requests of the last MEMORY_S seconds or so (weights fall exponentially with age), and DOUBT
    more that took what was foreseen (shrinkage towards a prior). After silence it is what was
    foreseen.

    service_s: device-seconds of one request, by variant; as it is when it is looked at.
    """

    MEMORY_S: Final = 2.0
    DOUBT: Final = 3.0

    __slots__ = ("_plans", "_service_s")

    def __init__(self, service_s: Mapping[str, float]) -> None:
        self._service_s = service_s
        self._plans: dict[Plan, _Lately] = {}

    def note(self, plan: Plan, asked: tuple[str, ...], now: float) -> None:
        """A request of `plan` has ended, having asked these variants. now: seconds, not falling."""
        if type(plan) not in _GROWING:
            return
        lately = self._plans.get(plan)
        if lately is None:
            self._forget(now)
            lately = self._plans[plan] = _Lately(now)
        kept = math.exp((lately.last - now) / self.MEMORY_S)
        took_s = sum([self._service_s.get(variant, 0.0) for variant in asked])
        lately.count = lately.count * kept + 1
        lately.work_s = lately.work_s * kept + took_s
        lately.last = now

    def mean_s(self, plan: Plan, foreseen_s: float, now: float) -> float:
        """Device-seconds that a request of `plan` is expected to take."""
        if type(plan) not in _GROWING:
            return foreseen_s
        lately = self._plans.get(plan)
        if lately is None:
            return foreseen_s
        kept = math.exp((lately.last - now) / self.MEMORY_S)
        work_s = lately.work_s * kept + self.DOUBT * foreseen_s
        return work_s / (lately.count * kept + self.DOUBT)

    def _forget(self, now: float) -> None:
        """Plans of tables that were replaced are not kept for ever."""
        oldest = now - 10 * self.MEMORY_S
        for plan in [plan for plan, lately in self._plans.items() if lately.last < oldest]:
            del self._plans[plan]
