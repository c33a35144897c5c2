"""Ask one variant after the other until one is confident enough, or the last has answered."""

from typing import TYPE_CHECKING

from gateway.upstream.base import Failure, Reply
from tailq.plan import Cascade

if TYPE_CHECKING:
    from gateway.dataplane.execution import Execution


class CascadeCourse:
    """See Course.

    A stage that fails before there is an answer in hand is passed over, for best effort: the next
    one answers more than it was proven with. With one in hand, that one leaves.
    """

    def begin(self, request: "Execution", plan: Cascade, now: float) -> None:
        """See Course."""
        request.ask(plan.stages[0], now)

    def replied(
        self, request: "Execution", plan: Cascade, variant: str, reply: Reply, now: float
    ) -> None:
        """See Course."""
        stage = plan.stages.index(variant)
        if stage == len(plan.thresholds):
            request.take(reply, variant, now)
            return
        sure = request.confidence(variant, reply)
        if sure is not None and sure >= plan.thresholds[stage]:
            request.take(reply, variant, now)
        elif request.hold(reply, variant, now):
            request.ask(plan.stages[stage + 1], now)

    def failed(
        self, request: "Execution", plan: Cascade, variant: str, failure: Failure, now: float
    ) -> None:
        """See Course."""
        request.note("unavailable")
        stage = plan.stages.index(variant)
        if request.in_hand or stage == len(plan.thresholds):
            request.give_up(failure, now)
        else:
            request.ask(plan.stages[stage + 1], now)
