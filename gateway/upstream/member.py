"""One endpoint of a fleet: what is in flight there, and whether it is fit to be asked."""

import logging
from collections.abc import Callable, Mapping
from typing import Final, Generic, Protocol, TypeVar

from gateway.clock import Clock
from gateway.upstream.backoff import Backoff
from gateway.upstream.base import Call, Failure, Listener, Payload
from gateway.upstream.breaker import Breaker, Threshold
from gateway.upstream.endpoint import Endpoint

log = logging.getLogger("tailq.gateway.upstream")

# Of a Triton that is down, and of one that fails: so that it is back in a second or two.
_DOWN: Final = (0.2, 1.0)
_FAILING: Final = (0.5, 2.0)
_LOGGED: Final = 300  # characters of a text of Triton's
ENDPOINT, VARIANT = 1, 2  # whose trial a request is; bits


class Triton(Protocol):
    """One Triton, as a member needs it (upstream.triton.TritonHttp)."""

    endpoint: Endpoint

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See upstream.base.Upstream."""
        ...

    def drop_idle(self) -> None:
        """Close the connections that nothing is asked over."""

    def retire(self) -> None:
        """Close each connection when what is asked over it has ended."""


Served = TypeVar("Served", bound=Triton, covariant=True)


class Offer:
    """One variant at one endpoint.

    in_flight: requests. missing: it is not there, as Triton says. calm: nothing is wrong with it
    or its endpoint, so nobody needs to report successes.
    """

    __slots__ = ("breaker", "calm", "in_flight", "member", "missing", "variant")

    def __init__(self, member: "Member[Triton]", variant: str, breaker: Breaker) -> None:
        self.member = member
        self.variant = variant
        self.breaker = breaker
        self.in_flight = 0
        self.missing = False
        self.calm = False

    @property
    def admits(self) -> bool:
        """Whether a request may go, as far as the variant is concerned."""
        return not self.missing and self.breaker.admits

    @property
    def partly(self) -> bool:
        """Whether it is there and answers some requests, though it fails too many."""
        return not self.missing and not self.breaker.entirely


class Member(Generic[Served]):
    """One endpoint.

    changed: called when the choice among endpoints may be another now. random: uniform on [0, 1).
    ejected: how often which variant ("": the endpoint) was left out; counted on here.

    work: what is in flight there is worth, as the fleet counts it. is_up: None until anything was
    seen; False: it cannot be reached, or does not answer, and `why` tells; then it is tried again
    at `retry_at`. leaving: it is to go as soon as there is another one. returns: how often it, or
    a variant of it, came back.
    """

    def __init__(
        self,
        triton: Served,
        clock: Clock,
        random: Callable[[], float],
        changed: Callable[[], object],
        ejected: dict[str, int],
    ) -> None:
        self.triton = triton
        self.name = str(triton.endpoint)
        self.work = 0
        self.leaving = False
        self.is_up: bool | None = None
        self.why = ""
        self.retry_at = 0.0
        self.returns = 0
        self.ejected = ejected
        self.offers: dict[str, Offer] = {}
        self.breaker = Breaker(Backoff(*_FAILING, random), Threshold())
        self._backoff = Backoff(*_DOWN, random)
        self._clock = clock
        self._random = random
        self._changed = changed
        self._seen: tuple[object, ...] = ()

    def offer(self, variant: str) -> None:
        """`variant` is to be asked here too from now on."""
        if variant not in self.offers:
            breaker = Breaker(Backoff(*_FAILING, self._random), Threshold())
            self.offers[variant] = Offer(self, variant, breaker)
            self.ejected.setdefault(variant, 0)

    @property
    def admits(self) -> bool:
        """Whether requests may go there, as far as the endpoint is concerned."""
        return self.is_up is True and self.breaker.admits

    # requests

    def begin(self, offer: Offer) -> int:
        """A request goes there although not all is well. Whose trial it is."""
        if self.is_up is False:
            self.retry_at = self._clock.now() + self._backoff.next_s()  # one at a time
        trial = ENDPOINT * self.breaker.begin() | VARIANT * offer.breaker.begin()
        if trial:
            self._settle()
        return trial

    def answered(self, offer: Offer, trial: int) -> None:
        """A request was answered although not all was well."""
        now = self._clock.now()
        self.up()
        self._succeed("", self.breaker, now, trial=bool(trial & ENDPOINT))
        self._succeed(offer.variant, offer.breaker, now, trial=bool(trial & VARIANT))
        self._there(offer)
        self._settle()

    def failed(self, offer: Offer, failure: Failure, trial: int) -> None:
        """A request was not answered, or not well."""
        now = self._clock.now()
        at_endpoint, at_variant = bool(trial & ENDPOINT), bool(trial & VARIANT)
        match failure.kind:
            case "unreachable":
                self.down(failure.detail)
            case "lost":
                self._count("", self.breaker, failure, now, trial=at_endpoint)
                at_endpoint = False
            case "unavailable" | "broken":
                self.up()
                self._succeed("", self.breaker, now, trial=at_endpoint)
                at_endpoint = False
                if failure.because == "missing":
                    self._missing(offer, failure.detail)
                elif failure.because != "busy":
                    self._count(offer.variant, offer.breaker, failure, now, trial=at_variant)
                    at_variant = False
        self.dropped(offer, ENDPOINT * at_endpoint | VARIANT * at_variant)

    def dropped(self, offer: Offer, trial: int) -> None:
        """A request tells nothing, or too late for a trial: another one may be that."""
        self.breaker.dropped(trial=bool(trial & ENDPOINT))
        offer.breaker.dropped(trial=bool(trial & VARIANT))
        self._settle()

    # what is known of it otherwise

    def up(self) -> None:
        """It answered."""
        if self.is_up:
            return
        log.info("Triton at %s is up", self.name)
        if self.is_up is False:  # another process than before, as like as not
            self.returns += 1
            self.breaker.reset()
            for offer in self.offers.values():
                offer.breaker.reset()
        self.is_up, self.why = True, ""
        self._backoff.reset()
        self._settle()

    def down(self, why: str) -> None:
        """It cannot be reached, or does not answer."""
        now = self._clock.now()
        if self.is_up is not False:
            log.warning("Triton at %s is down: %s", self.name, why)
            self.is_up = False
            self.ejected[""] += 1
            self.triton.drop_idle()
        elif now < self.retry_at:
            return  # asked before that was known
        self.why = why
        self.retry_at = now + self._backoff.next_s()
        self._settle()

    def serves(self, ready: Mapping[str, bool]) -> None:
        """It answered, and said of each variant whether it is ready."""
        self.up()
        for variant, is_ready in ready.items():
            if is_ready:
                self._there(self.offers[variant])
            else:
                self._missing(self.offers[variant], "not ready")
        self._settle()

    def _there(self, offer: Offer) -> None:
        if offer.missing:
            log.info("Triton at %s serves %s again", self.name, offer.variant)
            offer.missing = False
            offer.breaker.reset()
            self.returns += 1

    def _missing(self, offer: Offer, why: str) -> None:
        if not offer.missing:
            told = (self.name, offer.variant, _line(why))
            log.warning("Triton at %s does not serve %s: %s", *told)
            offer.missing = True
            self.ejected[offer.variant] += 1

    def _succeed(self, variant: str, breaker: Breaker, now: float, *, trial: bool) -> None:
        before = breaker.state
        breaker.succeeded(now, trial=trial)
        if breaker.state != before:
            log.info("%s is well again", self._called(variant))

    def _count(
        self, variant: str, breaker: Breaker, failure: Failure, now: float, *, trial: bool
    ) -> None:
        before = breaker.state
        breaker.failed(now, trial=trial)
        if breaker.state != "open" or before == "open":
            return
        if before == "closed":
            what = self._called(variant)
            log.warning("%s fails, and is asked less for now: %s", what, _line(failure.detail))
            self.ejected[variant] += 1
        self._clock.call_at(breaker.retry_at, lambda: self._wake(breaker))

    def _called(self, variant: str) -> str:
        return f"{variant} at {self.name}" if variant else f"Triton at {self.name}"

    def _wake(self, breaker: Breaker) -> None:
        breaker.wake(self._clock.now())
        self._settle()

    def _settle(self) -> None:
        calm = self.is_up is True and self.breaker.calm
        for offer in self.offers.values():
            offer.calm = calm and offer.breaker.calm and not offer.missing
        offers = self.offers.values()
        seen = (self.is_up, self.admits, *((offer.admits, offer.partly) for offer in offers))
        if seen != self._seen:
            self._seen = seen
            self._changed()


def _line(text: str) -> str:
    """A text of Triton's for the log; what a client wrote in it must not look like our lines."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:_LOGGED])
