"""Requests by how they ended, and what a scrape sees of all other parts.

The hot path counts in plain numbers; a scrape turns them into points. Names, help, labels and what
becomes of a gauge in a sum over processes are in names.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar, get_args

from gateway.dataplane import Answer, Outcome
from gateway.live import names
from gateway.live.histogram import EDGES, Histogram
from gateway.live.names import Points, Spec
from tailq.route import BestEffort
from tailq.tier import ROUND_LEVELS, Tier, TierTable

# Series that are there from the start, so that a first one is an increase. All but those of
# requests that count for nothing.
_FROM_THE_START: Final[tuple[Outcome, ...]] = (
    "on_time",
    "rescued",
    "best_effort",
    "late",
    "shed",
    "failed",
)
# What keeps count of its own: its numbers, as of now.
Part = Callable[[], Points]
_Key = TypeVar("_Key", bound=tuple[str, ...])


def _none() -> dict[str, float]:
    return {}


def _none_by_two() -> dict[tuple[str, str], float]:
    return {}


@dataclass(frozen=True, slots=True)
class Views:
    """What other parts have to say at a scrape: by variant or by endpoint, missing: not known.

    in_flight, outstanding_s: at Triton now, requests and the device-seconds they are worth. others:
    both, of others. waiting: for a place. drain: device-seconds of work a second. limits: places.
    corrections: observed over profiled latency. matches: 1 as profiled, 0 not. absent: variants, 1
    where none can be asked. up, ejected: endpoints, 1 or 0. ejections: so far, by endpoint and
    variant. retries: so far. admitted, refusals: requests of clients so far, by client, and by
    client and why.
    """

    in_flight: Callable[[], Mapping[str, float]] = _none
    outstanding_s: Callable[[], float] = float
    others: Callable[[], tuple[int, float]] = lambda: (0, 0.0)
    waiting: Callable[[], int] = int
    drain: Callable[[], float] = float
    limits: Callable[[], Mapping[str, float]] = _none
    corrections: Callable[[], Mapping[str, float]] = _none
    matches: Callable[[], Mapping[str, float]] = _none
    absent: Callable[[], Mapping[str, float]] = _none
    up: Callable[[], Mapping[str, float]] = _none
    ejected: Callable[[], Mapping[str, float]] = _none
    ejections: Callable[[], Mapping[tuple[str, str], float]] = _none_by_two
    retries: Callable[[], int] = int
    admitted: Callable[[], Mapping[str, float]] = _none
    refusals: Callable[[], Mapping[tuple[str, str], float]] = _none_by_two


class Metrics:
    """A dataplane.Recorder, and all points of a process. parts: whose points are told, too."""

    def __init__(self, table: TierTable, views: Views, parts: Sequence[Part] = ()) -> None:
        self._views = views
        self._parts = tuple(parts)
        self._requests: dict[tuple[str, str, Outcome], int] = {}
        self._durations: dict[str, Histogram] = {}
        self._upstream: dict[str, Histogram] = {}
        self._asks: dict[str, int] = {}
        self._best_effort: dict[tuple[str, str], int] = {}
        self._shed: dict[tuple[str, str], int] = {}
        self.reload(table)

    def reload(self, table: TierTable) -> None:
        """Other tiers from now on. What was counted stays; no counter falls."""
        self._table = table
        for tier in table.tiers:
            edges = (*EDGES, *(promise.deadline_s for promise in tier.promises))
            before = self._durations.get(tier.name, Histogram(()))
            self._durations[tier.name] = before.at(edges)
            for variant in sorted(tier.variants):
                for outcome in _FROM_THE_START:
                    self._requests.setdefault((tier.name, variant, outcome), 0)
            for reason in get_args(BestEffort):
                self._best_effort.setdefault((tier.name, reason), 0)
                self._shed.setdefault((tier.name, reason), 0)
        for variant in sorted(table.variants):
            self._upstream.setdefault(variant, Histogram(EDGES))
            self._asks.setdefault(variant, 0)

    # dataplane.Recorder

    def answered(self, answer: Answer) -> None:
        """See dataplane.Recorder."""
        tier = answer.decision.tier.name
        key = (tier, answer.variant, answer.outcome)
        self._requests[key] = self._requests.get(key, 0) + 1
        self._durations[tier].observe(answer.total_s)
        for variant in answer.asked:
            self._asks[variant] += 1
        if answer.outcome in ("best_effort", "shed"):
            counts = self._best_effort if answer.outcome == "best_effort" else self._shed
            counts[tier, answer.best_effort or "load"] += 1

    def refused(self) -> None:
        """See dataplane.Recorder."""
        key: tuple[str, str, Outcome] = ("", "", "invalid")
        self._requests[key] = self._requests.get(key, 0) + 1

    def upstream_ended(self, variant: str, seconds: float) -> None:
        """See dataplane.Recorder."""
        self._upstream[variant].observe(seconds)

    # tracing.Traced

    def traced(self, answer: Answer, trace_id: str, at: float) -> None:
        """The request that ends with `answer` is on this trace: an exemplar of its duration.

        trace_id: as hexadecimal digits. at: Unix time.
        """
        self._durations[answer.decision.tier.name].show(answer.total_s, trace_id, at)

    # scrapes

    def points(self) -> Points:
        """The present numbers, those of the parts included.

        These first: what they have put off they tell now, and it is counted here.
        """
        for part in self._parts:
            yield from part()
        yield from _by_key(names.REQUESTS, self._requests)
        yield from _by_name(names.DURATION, self._durations)
        yield from _by_name(names.UPSTREAM_DURATION, self._upstream)
        yield from _by_name(names.ASKS, self._asks)
        yield from _by_key(names.BEST_EFFORT, self._best_effort)
        yield from _by_key(names.SHED, self._shed)
        yield from self._seen()
        yield from _of_table(self._table)

    def _seen(self) -> Points:
        """What the views say."""
        views = self._views
        in_flight = views.in_flight()
        others, others_s = views.others()
        yield names.OUTSTANDING, (), sum(in_flight.values())
        yield names.OUTSTANDING_SECONDS, (), views.outstanding_s()
        yield names.OTHERS, (), others
        yield names.OTHERS_SECONDS, (), others_s
        yield names.WAITING, (), views.waiting()
        yield names.DRAIN, (), views.drain()
        yield names.RETRIES, (), views.retries()
        yield from _by_key(names.EJECTIONS, views.ejections())
        yield from _by_name(names.CLIENT_REQUESTS, views.admitted())
        yield from _by_key(names.REFUSALS, views.refusals())
        yield from _by_name(names.IN_FLIGHT, in_flight)
        yield from _by_name(names.LIMIT, views.limits())
        yield from _by_name(names.CORRECTION, views.corrections())
        yield from _by_name(names.FINGERPRINT, views.matches())
        yield from _by_name(names.ABSENT, views.absent())
        yield from _by_name(names.UPSTREAM_UP, views.up())
        yield from _by_name(names.UPSTREAM_EJECTED, views.ejected())


def reloads(counts: Mapping[tuple[str, str], int]) -> Points:
    """Of the files that were reloaded, by what they hold and what came of it."""
    return _by_key(names.RELOADS, counts)


def workers(serving: int, restarts: int) -> Points:
    """Of worker processes."""
    return ((names.WORKERS, (), serving), (names.RESTARTS, (), restarts))


def _of_table(table: TierTable) -> Points:
    """What is promised, and what the profile foretells."""
    for tier in table.tiers:
        yield from _of_tier(tier)
    conditions = table.conditions
    yield names.MEASURED, (conditions.profile,), conditions.measured.timestamp()
    for variant, served in table.served.items():
        if served.spread is not None:
            for number, share in enumerate(served.spread.share):
                yield names.CONFIDENCE_PROFILED, (variant, str(number)), share


def _of_tier(tier: Tier) -> Points:
    promise = tier.promises[-1]
    yield names.PROMISE, (tier.name,), promise.quality
    yield names.EXPECTED, (tier.name,), promise.expected_quality
    yield names.DEADLINE, (tier.name,), promise.deadline_s
    if promise.rounds is not None:
        for level, quality in zip(ROUND_LEVELS, promise.rounds.quality, strict=True):
            yield names.PROFILED_ROUND, (tier.name, str(level)), quality


def _by_name(
    spec: Spec, values: Mapping[str, float] | Mapping[str, Histogram]
) -> Iterator[names.Point]:
    for name, value in values.items():
        yield spec, (name,), value


def _by_key(spec: Spec, values: Mapping[_Key, float]) -> Iterator[names.Point]:
    for key, value in values.items():
        yield spec, key, value
