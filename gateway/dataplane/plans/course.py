"""What the execution of a request wants to know of a plan."""

from typing import TYPE_CHECKING, Protocol, TypeVar

from gateway.upstream.base import Failure, Reply

if TYPE_CHECKING:
    from gateway.dataplane.execution import Execution

PlanT = TypeVar("PlanT", contravariant=True)


class Course(Protocol[PlanT]):
    """Conducts requests through one kind of plan. Has no state: what there is lies in the request.

    Nothing is heard of a request that has been answered. now: seconds, on the dataplane's clock.
    """

    def begin(self, request: "Execution", plan: PlanT, now: float, /) -> None:
        """There is a place: ask."""

    def replied(
        self, request: "Execution", plan: PlanT, variant: str, reply: Reply, now: float, /
    ) -> None:
        """`variant` has answered."""

    def failed(
        self, request: "Execution", plan: PlanT, variant: str, failure: Failure, now: float, /
    ) -> None:
        """`variant` gives no answer."""
