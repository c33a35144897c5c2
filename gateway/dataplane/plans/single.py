"""Ask one variant and answer what it answers."""

from typing import TYPE_CHECKING

from gateway.upstream.base import Failure, Reply
from tailq.plan import Single

if TYPE_CHECKING:
    from gateway.dataplane.execution import Execution


class SingleCourse:
    """See Course."""

    def begin(self, request: "Execution", plan: Single, now: float) -> None:
        """See Course."""
        request.ask(plan.variant, now)

    def replied(
        self, request: "Execution", _plan: Single, variant: str, reply: Reply, now: float
    ) -> None:
        """See Course."""
        request.take(reply, variant, now)

    def failed(
        self, request: "Execution", _plan: Single, _variant: str, failure: Failure, now: float
    ) -> None:
        """See Course."""
        request.give_up(failure, now)
