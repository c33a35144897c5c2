"""What others send to the same Tritons, as Triton's own metrics tell: a hint, not an account."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.upstream.endpoint import Endpoint
from gateway.upstream.fleet import Fleet
from gateway.upstream.member import Member
from gateway.upstream.triton import TritonHttp

log = logging.getLogger("tailq.gateway.upstream")

EVERY_S: Final = 0.5
WITHIN_S: Final = 1.0
FRESH_S: Final = 2.0

_LINE: Final = re.compile(
    rb"^nv_inference_(pending_request_count|request_duration_us)"
    rb'\{[^}\n]*?model="([^"\\\n]*)"[^}\n]*\} ([0-9.eE+]+)$',
    re.MULTILINE,
)


@dataclass(slots=True)
class Page:
    """What Triton's metrics say of one endpoint, by model, all its versions together.

    pending: requests that wait for an instance; those that run are not among them. spent_s:
    seconds that all requests answered so far took, queue and all.
    """

    pending: dict[str, float] = field(default_factory=dict)
    spent_s: dict[str, float] = field(default_factory=dict)


def read(text: bytes) -> Page:
    """Pick the two families from a page in Prometheus's text format; what is not there is not."""
    page = Page()
    for family, model, value in _LINE.findall(text):
        name = model.decode(errors="replace")
        try:
            number = float(value)
        except ValueError:
            continue
        if family.startswith(b"pending"):
            page.pending[name] = page.pending.get(name, 0.0) + number
        else:
            page.spent_s[name] = page.spent_s.get(name, 0.0) + number / 1e6
    return page


def in_flight(now: Page, before: Page | None, seconds: float) -> dict[str, float]:
    """Requests at an endpoint, whoever's, by model: as many as wait, at least.

    And as many as there were on average since the page `before`, `seconds` ago: the time that they
    took over the time that passed (J. Little, "A Proof for the Queuing Formula", 1961). That counts
    the running ones too, but late, when they are answered; those that wait are counted at once.
    """
    found = dict(now.pending)
    if before is not None and seconds > 0:
        for model, spent_s in now.spent_s.items():
            mean = (spent_s - before.spent_s.get(model, spent_s)) / seconds  # < 0: loaded anew
            found[model] = max(found.get(model, 0.0), mean)
    return found


def beyond_ours(all_: Mapping[str, float], ours: Mapping[str, int]) -> dict[str, float]:
    """Requests of others, by variant: those beyond ours. For variants that we ask."""
    return {variant: max(0.0, all_.get(variant, 0.0) - own) for variant, own in ours.items()}


class OthersLoad:
    """A callable for `gateway.account.Account`: requests and device-seconds of others in flight.

    It is a lower bound: a page lags behind, so that of ours the most is subtracted that there was
    since the page before. Summed over the endpoints whose metrics are read; a page that is older
    than FRESH_S counts as no load.

    siblings: the same figures of other processes of this gateway, which Triton cannot tell from
    strangers: the greater counts.
    """

    def __init__(self, fleet: Fleet[TritonHttp], siblings: Callable[[], tuple[int, float]]) -> None:
        self._fleet = fleet
        self._siblings = siblings
        self._requests, self._work_s = 0, 0.0
        self._watches: dict[tuple[Member[TritonHttp], Endpoint], _Watch] = {}

    def watch(self, metrics: Iterable[tuple[Member[TritonHttp], Endpoint]]) -> None:
        """Read these members' metrics from now on; those that are read already go on so."""
        before, self._watches = self._watches, {}
        for member, endpoint in metrics:
            watch = before.pop((member, endpoint), None)
            self._watches[member, endpoint] = watch or _Watch(self._fleet, member, endpoint)
        for watch in before.values():
            watch.triton.retire()

    def __call__(self) -> tuple[int, float]:
        """Requests, and the device-seconds that they are worth."""
        requests, work_s = self._siblings()
        return max(requests, self._requests), max(work_s, self._work_s)

    async def run(self) -> None:
        """Read them twice a second, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Read all of them once. Within a second."""
        await asyncio.gather(*(watch.look() for watch in self._watches.values()))
        now = self._fleet.clock.now()
        fresh = [one for one in self._watches.values() if now - one.read_at <= FRESH_S]
        self._requests = round(sum(one.requests for one in fresh))
        self._work_s = sum(one.work_s for one in fresh)

    def close(self) -> None:
        """Close every connection."""
        for watch in self._watches.values():
            watch.triton.close()


class _Watch:
    """Of the metrics of one endpoint."""

    def __init__(
        self, fleet: Fleet[TritonHttp], member: Member[TritonHttp], endpoint: Endpoint
    ) -> None:
        self.triton = TritonHttp(endpoint, fleet.clock)
        self.read_at = float("-inf")
        self.requests = 0.0
        self.work_s = 0.0
        self._fleet = fleet
        self._member = member
        self._readable = True
        self._page: Page | None = None
        self._ours: dict[str, int] = {}

    async def look(self) -> None:
        ours = self._most_of(self._ours)
        answer = await self.triton.get("/metrics", WITHIN_S)
        readable = answer is not None and answer.status == 200
        if readable is not self._readable:
            self._readable = readable
            told = "are read again" if readable else "cannot be read: others' load is not seen"
            log.info("metrics of Triton at %s %s", self.triton.endpoint, told)
        if answer is not None and readable:
            self._take(read(answer.body), self._most_of(ours))

    def _take(self, page: Page, ours: Mapping[str, int]) -> None:
        now = self._fleet.clock.now()
        others = beyond_ours(in_flight(page, self._page, now - self.read_at), ours)
        service_s = self._fleet.service_s
        self.requests = sum(others.values())
        self.work_s = sum(count * service_s.get(name, 0.0) for name, count in others.items())
        self.read_at, self._page, self._ours = now, page, self._most_of({})

    def _most_of(self, ours: Mapping[str, int]) -> dict[str, int]:
        """In flight now, or as `ours` says, by variant: whichever is more."""
        offers = self._member.offers.items()
        return {name: max(offer.in_flight, ours.get(name, 0)) for name, offer in offers}
