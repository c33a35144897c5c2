"""Every request's surroundings: what decides, what serves, what counts, and who may go.

Whatever upstream does, an answer or a clean error leaves at the deadline, which counts from the
request's arrival. Protocols translate at one side (rest/, grpc/), upstreams at the other
(upstream/); the clock is passed in, so the same code runs in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gateway.account import Account
from gateway.admission import Admission
from gateway.clock import Clock
from gateway.dataplane.execution import Execution
from gateway.dataplane.margin import Margin
from gateway.dataplane.outcome import Answer, Recorder
from gateway.dataplane.reading import Read, unread
from gateway.upstream.base import Upstream
from tailq.route import Ask, Decision, Load, Router


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


class Dataplane:
    """Decides and executes.

    account: the work in flight upstream. admission: who may go there; by default as many at
    once as were profiled. read: what answers say of themselves. foreign: the variants that are
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
        read: Read = unread,
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
            self.account, clock, places=table.conditions.max_outstanding
        )
        self.read = read
        self.margin = Margin()
        self.foreign: frozenset[str] = frozenset()
        self.execution: Callable[..., Execution] = Execution

    @property
    def outstanding(self) -> int:
        """Requests of this process in flight upstream, abandoned ones included."""
        return self.account.own

    def open(
        self,
        ask: Ask,
        arrived: float,
        answer: Callable[[Answer], None],
        request_id: bytes = b"",
        recorder: Recorder | None = None,
    ) -> Execution:
        """Take in a request of which the head is known, and start its clock.

        arrived: when the head was complete, seconds on the dataplane's clock. answer: is called
        once, by the deadline, unless leave() or fail() comes first; within this call if the tier
        would rather refuse than try at present (`shed`). request_id: as the client knows
        it, after whose it is (clients.Client.owner). recorder: is told of it instead of the
        dataplane's own, where it is no client's request. Raises UnknownTier.
        """
        router = self.router
        decision, elapsed_s = router.decide(ask, 0.0, self.load(arrived)), 0.0
        wanted = decision.plan.at_once
        if self._wait_s(decision, arrived, wanted):
            first = decision
            decision, elapsed_s = self._at_its_turn(ask, first, arrived, wanted[:1])
            if len(wanted) > 1 and decision.best_effort is not None:
                decision, elapsed_s = self._at_its_turn(ask, first, arrived, wanted)
        return self.execution(
            self,
            router,
            ask,
            decision,
            arrived,
            elapsed_s,
            answer,
            request_id,
            recorder or self.recorder,
        )

    def _wait_s(self, decision: Decision, arrived: float, wanted: tuple[str, ...]) -> float:
        return self.admission.wait_s(decision.tier.priority, arrived + decision.deadline_s, wanted)

    def _at_its_turn(
        self, ask: Ask, decision: Decision, arrived: float, wanted: tuple[str, ...]
    ) -> tuple[Decision, float]:
        """What to do when there are as many free places as wanted, and how much time is gone then.

        Who has to wait is asked to want one: a race does every request's work twice, and waits for
        two places while it holds up all others. A device that is busy with what races have left
        would have no time for anything else, although there are plans that keep the promise alone.
        """
        load = self.load(arrived)
        most = max(0, self.admission.capacity - len(wanted))
        if load.outstanding > most or len(wanted) == 1:
            if load.outstanding:
                load.outstanding_s *= min(1.0, most / load.outstanding)
            load.outstanding = most
        elapsed_s = min(self._wait_s(decision, arrived, wanted), decision.deadline_s)
        return self.router.decide(ask, elapsed_s, load), elapsed_s

    def load(self, now: float) -> Load:
        """What goes on upstream, for a decision made `now`."""
        account, upstream = self.account, self.upstream
        account.look()
        return Load(
            now,
            account.own + account.elsewhere,
            self.outstanding_s(),
            upstream.absent,
            self.foreign,
            upstream.endpoints,
            self.admission.contended,
        )

    def outstanding_s(self) -> float:
        """Device-seconds in flight at an endpoint, on average."""
        account = self.account
        return (account.own_s + account.elsewhere_s) / self.upstream.endpoints
