"""Ask two variants at once; keep the fast one's answer if it is confident enough."""

from typing import TYPE_CHECKING

from gateway.upstream.base import Failure, Reply
from tailq.plan import Race

if TYPE_CHECKING:
    from gateway.dataplane.execution import Execution


class RaceCourse:
    """See Course. If one of them fails the other's answer is taken, as best effort."""

    def begin(self, request: "Execution", plan: Race, now: float) -> None:
        """See Course."""
        for variant in plan.at_once:
            request.ask(variant, now)

    def replied(
        self, request: "Execution", plan: Race, variant: str, reply: Reply, now: float
    ) -> None:
        """See Course."""
        sure = None
        if request.awaits(plan.accurate):
            sure = request.confidence(variant, reply)
            if sure is None or sure < plan.threshold:
                request.hold(reply, variant, now)
                return
        request.take(reply, variant, now, cancel=plan.terminate)

    def failed(
        self, request: "Execution", plan: Race, variant: str, failure: Failure, now: float
    ) -> None:
        """See Course."""
        request.note("unavailable")
        other = plan.fast if variant == plan.accurate else plan.accurate
        if not request.awaits(other):
            request.give_up(failure, now)
