"""Ask one variant; if it is late, have the answer of a faster one ready at the deadline."""

from functools import partial
from typing import TYPE_CHECKING

from gateway.upstream.base import Failure, Reply
from tailq.plan import Rescue

if TYPE_CHECKING:
    from gateway.dataplane.execution import Execution


class RescueCourse:
    """See Course.

    `after_s` was found for the promise's deadline: what counts is how long before it. So under a
    tighter deadline the rescuer is asked as much earlier; under a looser one not later than it
    was proven with. A primary that fails is rescued at once.
    """

    def begin(self, request: "Execution", plan: Rescue, now: float) -> None:
        """See Course."""
        request.ask(plan.primary, now)
        decision = request.decision
        longest_s = max(decision.deadline_s, decision.promise.deadline_s)
        if plan.after_s < longest_s:
            request.wake(longest_s - plan.after_s, now, partial(_rescue, request, plan))

    def replied(
        self, request: "Execution", plan: Rescue, variant: str, reply: Reply, now: float
    ) -> None:
        """See Course."""
        if variant == plan.primary:
            request.take(reply, variant, now)
        elif request.awaits(plan.primary):
            request.hold(reply, variant, now, rescued=True)
        else:
            request.take(reply, variant, now, rescued=True)

    def failed(
        self, request: "Execution", plan: Rescue, variant: str, failure: Failure, now: float
    ) -> None:
        """See Course."""
        if variant == plan.rescuer:
            if not request.awaits(plan.primary):
                request.give_up(failure, now)
        elif not request.has_asked(plan.rescuer):
            _rescue(request, plan, now)
        elif not request.awaits(plan.rescuer):
            request.give_up(failure, now)


def _rescue(request: "Execution", plan: Rescue, now: float) -> None:
    if not request.has_asked(plan.rescuer):
        request.ask(plan.rescuer, now)
