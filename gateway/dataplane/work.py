"""One variant asked for one request, until upstream has really ended."""

from typing import TYPE_CHECKING

from gateway.clock import Timer
from gateway.upstream.base import Call, Failure, Payload, Reply, Result

if TYPE_CHECKING:
    from gateway.dataplane.execution import Execution
    from gateway.dataplane.outcome import Recorder
    from gateway.dataplane.plane import Dataplane
    from tailq.outlook import Outlook


class Work:
    """A call upstream with its place in the load account; it may outlive its request.

    Whoever learns from latencies is told here: the outlook of every answer, however late, and
    of calls that outlast their deadline; admission of every call that says something about
    capacity, which refusals, most failures and calls that were cancelled early do not.
    """

    __slots__ = (
        "_asked",
        "_beyond",
        "_call",
        "_deadline",
        "_outlook",
        "_outstanding_s",
        "_overdue",
        "_plane",
        "_recorder",
        "_request",
        "_timer",
        "_worth_s",
        "variant",
    )

    def __init__(
        self,
        plane: "Dataplane",
        outlook: "Outlook",
        request: "Execution",
        variant: str,
        payload: Payload,
        deadline: float,
        now: float,
        recorder: "Recorder",
    ) -> None:
        self._plane = plane
        self._recorder = recorder
        self._outlook = outlook
        self._request: Execution | None = request  # None: nobody waits for it
        self.variant = variant
        self._deadline = deadline
        self._asked = now
        self._overdue = False
        self._beyond: int | None = None  # the profile's quantiles that it exceeded when overdue
        self._timer: Timer | None = None  # once abandoned
        # None: has ended. First: what follows is done while upstream works already.
        self._call: Call | None = plane.upstream.infer(variant, payload, deadline, self)
        self._outstanding_s = plane.outstanding_s()
        self._worth_s = plane.account.add(variant)

    def let_go(self, now: float, *, cancel: bool, overdue: bool) -> None:
        """Nobody waits for it any more. It leaves the account only when it has ended.

        cancel: end it now; otherwise it goes on, for `Limits.abandon_s` at most. overdue: because
        of the deadline.
        """
        self._request = None
        call = self._call
        assert call is not None
        if overdue:
            self._overdue = True
            self._beyond = self._outlook.observe(
                self.variant, now - self._asked, self._outstanding_s, now, ended=False
            )
        if cancel:
            call.cancel()
            return
        plane = self._plane
        self._timer = plane.clock.call_at(now + plane.limits.abandon_s, self._give_up)
        call.abandon()

    def _give_up(self) -> None:
        if self._call is not None:
            self._call.cancel()

    def ended(self, result: Result) -> None:
        """See upstream.base.Listener."""
        plane, variant = self._plane, self.variant
        now = plane.clock.now()
        seconds = now - self._asked
        request, self._request = self._request, None
        self._call = None
        if self._timer is not None:
            self._timer.cancel()
        plane.account.remove(variant, self._worth_s)
        try:
            # First: what the request asks next takes the place that this one had, and an answer
            # is on its way to the client while the rest is done.
            if request is not None:
                request.ended(self, result, now)
        finally:
            self._recorder.upstream_ended(variant, seconds)
            if isinstance(result, Reply):
                self._beyond = self._outlook.observe(
                    variant, seconds, self._outstanding_s, now, ended=True
                )
                plane.admission.ended(variant, seconds, now < self._deadline)
            elif self._overdue or (isinstance(result, Failure) and result.because == "busy"):
                plane.admission.ended(variant, seconds, False)
            if self._beyond is not None:
                self._recorder.compared(variant, self._beyond)
            plane.account.look()
            plane.admission.freed()
