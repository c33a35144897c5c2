"""Every request's surroundings: what decides, what serves, what counts, and who may go.

Whatever upstream does, an answer or a clean error leaves at the deadline, which counts from the
request's arrival. Protocols translate at one side (rest/, grpc/), upstreams at the other
(upstream/); the clock is passed in, so the same code runs in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from gateway.account import Account
from gateway.admission import Admission
from gateway.clock import Clock
from gateway.dataplane.execution import Execution
from gateway.dataplane.outcome import Answer, Recorder
from gateway.upstream.base import Reply, Upstream
from tailq.route import Ask, Load, Router

# Places of a dataplane that is given no admission, for each request in flight that was profiled.
_PLACES: Final = 4

# (variant, its answer) -> how sure it is of it, in [0, 1]; None: it cannot be told.
Confidence = Callable[[str, Reply], float | None]


@dataclass(frozen=True, slots=True)
class Limits:
    """What becomes of upstream's work that nobody waits for any more.

    at_deadline: "abandon": it goes on and keeps its place in the load account until it ends.
        "cancel": it is cancelled at once (cancellation storms crashed Tritons before 24.12).
    abandon_s: seconds after which abandoned work that has not ended is cancelled all the same, so
        that an upstream that hangs holds no place for ever.
    """

    at_deadline: Literal["abandon", "cancel"] = "abandon"
    abandon_s: float = 10.0


def untold(_variant: str, _reply: Reply) -> float | None:
    """The confidence of answers that nobody can read."""
    return None


class Dataplane:
    """Decides and executes.

    account: the work in flight upstream. admission: who may go there; by default four times as
    many at once as were profiled. confidence: reads an answer's. foreign: the variants that are
    at present not what was profiled; set from outside. execution: what a request becomes; another
    kind where requests are traced (tracing.py).
    """

    def __init__(
        self,
        router: Router,
        upstream: Upstream,
        clock: Clock,
        recorder: Recorder,
        limits: Limits | None = None,
        *,
        account: Account | None = None,
        admission: Admission | None = None,
        confidence: Confidence = untold,
    ) -> None:
        table = router.table
        self.router = router
        self.upstream = upstream
        self.clock = clock
        self.recorder = recorder
        self.limits = limits or Limits()
        self.account = account or Account(
            {variant: served.service_s for variant, served in table.served.items()}
        )
        self.admission = admission or Admission(
            self.account, clock, places=_PLACES * table.conditions.max_outstanding
        )
        self.confidence = confidence
        self.foreign: frozenset[str] = frozenset()
        self.execution: Callable[..., Execution] = Execution

    @property
    def outstanding(self) -> int:
        """Requests of this process in flight upstream, abandoned ones included."""
        return self.account.own

    def open(self, ask: Ask, arrived: float, answer: Callable[[Answer], None]) -> Execution:
        """Take in a request of which the head is known, and start its clock.

        arrived: when the head was complete, seconds on the dataplane's clock. answer: is called
        once, by the deadline, unless leave() or fail() comes first; within this call if the tier
        would rather refuse than try at present (`shed`). Raises UnknownTier.
        """
        router = self.router
        tier = router.tier(ask)
        deadline_s = tier.deadline_s
        if ask.deadline_s is not None and ask.deadline_s < deadline_s:
            deadline_s = ask.deadline_s
        wait_s = self.admission.wait_s(tier.priority, arrived + deadline_s)
        elapsed_s = wait_s if wait_s < deadline_s else deadline_s
        load = self.load(arrived)
        if wait_s:
            self._at_its_turn(load)
        decision = router.decide(ask, elapsed_s, load)
        return self.execution(self, router, ask, decision, arrived, elapsed_s, answer)

    def _at_its_turn(self, load: Load) -> None:
        """Make of `load` what a request will meet that waits for a place: one that is free."""
        most = self.admission.places - 1
        if load.outstanding > most:
            load.outstanding_s *= most / load.outstanding
            load.outstanding = most

    def load(self, now: float) -> Load:
        """What goes on upstream, for a decision made `now`: of the endpoint that does least.

        If work is shared evenly, that is the mean, and of requests what is left of it by rounding
        down: with one place free among several endpoints the next one meets a free place.
        """
        account, upstream = self.account, self.upstream
        others, others_s = account.others()
        outstanding, outstanding_s = account.own + others, account.own_s + others_s
        endpoints = upstream.endpoints
        if endpoints > 1:
            outstanding, outstanding_s = outstanding // endpoints, outstanding_s / endpoints
        return Load(now, outstanding, outstanding_s, upstream.absent, self.foreign)

    def outstanding_s(self) -> float:
        """Device-seconds in flight at an endpoint, on average."""
        account = self.account
        return (account.own_s + account.others()[1]) / self.upstream.endpoints
