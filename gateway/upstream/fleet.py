"""Several Tritons as one upstream: each request goes where the least work is outstanding."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from gateway.clock import Clock
from gateway.upstream.base import Call, Failure, Listener, Payload, Result
from gateway.upstream.member import Member, Offer, Triton

log = logging.getLogger("tailq.gateway.upstream")

_NS: Final = 1e9  # work is counted in whole nanoseconds: sums of floats drift, and tie no more
_REMEMBERED: Final = 1024  # endpoints, those that left included; 4 times as many as there may be

One = TypeVar("One", bound=Triton)


class Fleet(Generic[One]):
    """An upstream.base.Upstream over several endpoints: none at first, then what become() says.

    Endpoints that are down (unreachable, or silent) are not asked: what only they could answer
    fails at once. One that is up is asked, if there is no fitter one, even for a variant that it
    does not serve: `absent` has said so, and a failed answer is no worse than none. One of which
    nothing was seen yet is asked only where none is up.

    service_s: device-seconds of one request, by variant: as in serve(). random: uniform on [0, 1).

    endpoints: how many serve at present, 1 if none does. absent: the variants that none serves.
    service_s: as last given. retried: requests that were asked at a second endpoint. ejected: by
    endpoint and variant ("": the endpoint), how often it was left out, also of endpoints that left.
    """

    def __init__(
        self,
        service_s: Mapping[str, float],
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self.endpoints = 1
        self.absent: frozenset[str] = frozenset()
        self.retried = 0
        self.clock = clock
        self.ejected: dict[str, dict[str, int]] = {}
        self.worth: dict[str, int] = {}
        self._random = random
        self._moves = 0
        self._fit: dict[str, tuple[Offer, ...]] = {}
        self._turn = 0
        self.members: tuple[Member[One], ...] = ()
        self.serve(service_s)

    def become(self, tritons: Sequence[One]) -> tuple[Member[One], ...]:
        """Ask these from now on, one at least: the members for them, in that order.

        Those that are members stay as they are. A new one is asked as soon as it is up. A member
        that is not among them leaves as soon as one that is, is up: what is in flight there ends
        as ever, and then its connections close. Until then it is asked as before. One that is to
        leave already, and is not up, leaves at once: else lists of what never is up would pile up.
        """
        known = {id(one.triton): one for one in self.members}
        listed = tuple(
            known.pop(id(one)) if id(one) in known else self._member(one) for one in tritons
        )
        self._moves += len(listed) + len(known) - len(self.members)
        others = tuple(known.values())
        self.members = listed + others
        self._leave([one for one in others if one.leaving and not one.is_up])
        for one in listed:
            one.leaving = False
        for one in others:
            one.leaving = True
        self._forget()
        self._choose_anew()
        return listed

    def _forget(self) -> None:
        """The ejections of those that joined longest ago and left, where there are many."""
        present = {one.name for one in self.members}
        gone = [name for name in self.ejected if name not in present]
        for name in gone[: max(0, len(self.ejected) - _REMEMBERED)]:
            del self.ejected[name]

    def _member(self, triton: One) -> Member[One]:
        ejected = self.ejected.setdefault(str(triton.endpoint), {"": 0})
        member = Member(triton, self.clock, self._random, self._choose_anew, ejected)
        for variant in self.worth:
            member.offer(variant)
        return member

    def serve(self, service_s: Mapping[str, float]) -> None:
        """These variants are to be asked from now on; others may still be, until they are not.

        service_s: device-seconds of one request; of a variant where it is 0 it is not known, and
        it counts as the mean of the others.
        """
        known = [seconds for seconds in service_s.values() if seconds > 0]
        usual = sum(known) / len(known) if known else 1.0
        for variant, seconds in service_s.items():
            self.worth[variant] = round(_NS * (seconds or usual))
            for member in self.members:
                member.offer(variant)
        self.service_s = dict(service_s)
        self._choose_anew()

    @property
    def returns(self) -> int:
        """How often an endpoint has come, gone or come back, or a variant at one come back."""
        return self._moves + sum(member.returns for member in self.members)

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See upstream.base.Upstream."""
        fit = self._fit[variant]
        offer = fit[0] if len(fit) == 1 else self._least(fit) or self._last_resort(variant)
        if offer is None:
            return _Refused(self._why_none(), self.clock, listener)
        return _Attempt(self, offer, payload, deadline, listener)

    def other(self, than: Offer) -> Offer | None:
        """The same variant at another endpoint that is fit for it, None if there is none."""
        return self._least(tuple(one for one in self._fit[than.variant] if one is not than))

    def _least(self, offers: tuple[Offer, ...]) -> Offer | None:
        """The one with the least work at its endpoint; equal ones take turns."""
        if not offers:
            return None
        self._turn = turn = (self._turn + 1) % len(offers)
        best = offers[turn]
        for offer in offers[turn + 1 :] + offers[:turn]:
            if offer.member.work < best.member.work:
                best = offer
        return best

    def _last_resort(self, variant: str) -> Offer | None:
        found = self._least(
            tuple(one.offers[variant] for one in self.members if one.is_up is not False)
        )
        if found is not None:
            return found
        now = self.clock.now()  # nobody looks after them, or a request was quicker: it is the probe
        return next((one.offers[variant] for one in self.members if now >= one.retry_at), None)

    def _why_none(self) -> Failure:
        return Failure(
            "unreachable", "; ".join(f"Triton at {one.name}: {one.why}" for one in self.members)
        )

    def _choose_anew(self) -> None:
        """Something has changed: who is fit for what, kept ready for the hot path.

        Panic mode, as Envoy calls it: if too many requests fail at every endpoint that is up, or of
        a variant at every endpoint that has it, to eject them all would only make it worse, so they
        stay. Not so a variant of which every request fails: it is absent but for a trial now and
        then, so that the router can do without it.
        """
        self._let_go()
        fit = [member for member in self.members if member.admits]
        fit = fit or [member for member in self.members if member.is_up is not False]
        self._fit = {variant: _fit([one.offers[variant] for one in fit]) for variant in self.worth}
        self.endpoints = max(1, len(fit))
        self.absent = frozenset(v for v in self.service_s if not self._fit[v])

    def _let_go(self) -> None:
        """Of those that are to leave, if another is up."""
        leaving = [one for one in self.members if one.leaving]
        if not leaving or not any(one.is_up for one in self.members if not one.leaving):
            return
        self._leave(leaving)

    def _leave(self, leaving: Sequence[Member[One]]) -> None:
        """Ask these no more."""
        self.members = tuple(one for one in self.members if one not in leaving)
        for one in leaving:
            log.info("Triton at %s is asked no more", one.name)
            self._moves += one.returns + 1  # `returns` never falls
            one.triton.retire()


def _fit(offers: list[Offer]) -> tuple[Offer, ...]:
    return tuple(one for one in offers if one.admits) or tuple(one for one in offers if one.partly)


class _Attempt:
    """One request: a Call for who asked, a Listener at the endpoint; once more at another one."""

    __slots__ = (
        "_call",
        "_deadline",
        "_fleet",
        "_listener",
        "_offer",
        "_payload",
        "_trial",
        "_worth",
    )

    def __init__(
        self, fleet: Fleet[Any], offer: Offer, payload: Payload, deadline: float, listener: Listener
    ) -> None:
        self._fleet = fleet
        self._worth = fleet.worth[offer.variant]
        self._payload: Payload | None = payload  # None: will not be sent again
        self._deadline = deadline
        self._listener = listener
        self._send(offer, payload)

    def _send(self, offer: Offer, payload: Payload) -> None:
        member = offer.member
        self._offer = offer
        self._trial = 0 if offer.calm else member.begin(offer)
        member.work += self._worth
        offer.in_flight += 1
        self._call = member.triton.infer(offer.variant, payload, self._deadline, self)

    # upstream.base.Call

    def abandon(self) -> None:
        """See upstream.base.Call."""
        self._payload = None
        if self._trial:
            self._offer.member.dropped(self._offer, self._trial)
            self._trial = 0
        self._call.abandon()

    def cancel(self) -> None:
        """See upstream.base.Call."""
        self._payload = None
        self._call.cancel()

    # upstream.base.Listener

    def ended(self, result: Result) -> None:
        """See upstream.base.Listener."""
        offer = self._offer
        offer.in_flight -= 1
        offer.member.work -= self._worth
        if isinstance(result, Failure):
            offer.member.failed(offer, result, self._trial)
            if self._again(result):
                return
        elif not offer.calm:
            offer.member.answered(offer, self._trial)
        self._listener.ended(result)

    def _again(self, failure: Failure) -> bool:
        fleet, payload, self._payload = self._fleet, self._payload, None
        if payload is None or failure.because not in ("untried", "missing"):
            return False
        if fleet.clock.now() >= self._deadline:
            return False
        other = fleet.other(self._offer)
        if other is None:
            return False
        fleet.retried += 1
        self._send(other, payload)
        return True


class _Refused:
    """A call that no endpoint can take; the listener hears in the next turn."""

    __slots__ = ("_failure", "_listener")

    def __init__(self, failure: Failure, clock: Clock, listener: Listener) -> None:
        self._failure = failure
        self._listener: Listener | None = listener
        clock.call_at(clock.now(), self._tell)

    def abandon(self) -> None:
        """See upstream.base.Call."""

    def cancel(self) -> None:
        """See upstream.base.Call."""
        self._tell()

    def _tell(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.ended(self._failure)
