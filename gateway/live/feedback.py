"""True quality from what clients tell afterwards: which request it was, and what is right.

Only answers get labels. A request that was late, shed or failed is known to be worth nothing
without one: left out it would be missing from the mean, and if all were told they would weigh too
much, since most answers get no label. So each answer carries along a share of the requests before
it that had none, and when it gets its label, they count with it: whatever share of the answers is
labelled, and when, they weigh as much as there are of them. And they come in between the labels, as
they came between the answers; all at once they would look like a promise that breaks.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, get_args

from gateway.live.judged import Judged
from gateway.live.memory import Memory
from gateway.live.names import FEEDBACK, Points, Source

# taken: it counts. repeated: it was told before. unknown: no such request is remembered. late: nor
# is this one, which had its id from here. unanswered: it had no answer in time, so its quality was
# known. unlabelled: the answer is no class, or one for each of another number of samples.
Result = Literal["taken", "repeated", "unknown", "late", "unanswered", "unlabelled"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)

# Answers over which requests without one are spread: the next one takes a hundredth of them along,
# the one after it a hundredth of the rest, and so on.
_SPREAD: Final = 100
# Of requests without an answer told of at once; the others come with the next labels.
_MOST_AT_ONCE: Final = 100
# Labels that are taken before others have their turn: a millisecond's worth.
_LABELS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class Told:
    """What a client tells of a request: the right class of each sample, or the quality in [0, 1].

    owner: whose request it is, see clients.Client.owner; nobody else's is found.
    """

    request_id: bytes
    labels: tuple[int, ...] | None = None
    quality: float | None = None
    owner: bytes = b""


@dataclass(slots=True)
class Unanswered:
    """One tier's requests without an answer, since it was promised by this table.

    waiting: how many no answer has taken along so far. due: how many came along with labels and are
    still to be told of, a whole one at a time. last: one of them, which stands for all.
    """

    table: int
    waiting: float = 0.0
    due: float = 0.0
    last: Judged | None = None

    def along(self, judged: Judged) -> float:
        """How many of them a request that has ended takes along; it may be one of them itself."""
        if not judged.in_time:
            self.waiting += 1
            self.last = judged
            return 0.0
        along = self.waiting / _SPREAD
        self.waiting -= along
        return along


class Scores(Protocol):
    """See live.Live."""

    def settle(self) -> None:
        """Let every request that has ended be remembered."""

    def tell(self, source: Source, judged: Judged, quality: float, /, times: int = 1) -> None:
        """The quality of so many requests is known."""


async def _nobody(told: Sequence[Told]) -> list[Result]:
    return ["unknown"] * len(told)


class Feedback:
    """made: whether an id was made up here. most: requests that are remembered.

    siblings: asked of requests that are not known here, since a client's connection may lead to
    another process than the one that answered it.
    """

    def __init__(self, scores: Scores, made: Callable[[bytes], bool], most: int) -> None:
        self.siblings: Callable[[Sequence[Told]], Awaitable[list[Result]]] = _nobody
        self._scores = scores
        self._made = made
        self._memory = Memory(most)
        self._unanswered: dict[str, Unanswered] = {}
        self._counts: dict[Result, int] = dict.fromkeys(RESULTS, 0)

    def remember(self, request_id: bytes, judged: Judged) -> None:
        """Of this request something may be told. On the hot path."""
        unanswered = self._unanswered.get(judged.tier)
        if unanswered is None or unanswered.table != judged.table:
            unanswered = self._unanswered[judged.tier] = Unanswered(judged.table)
        self._memory.keep(request_id, judged, unanswered.along(judged))

    async def take(self, told: Sequence[Told]) -> list[Result]:
        """What becomes of each."""
        results = await self.here(told)
        unknown = [number for number, result in enumerate(results) if result == "unknown"]
        if unknown:
            elsewhere = await self.siblings([told[number] for number in unknown])
            for number, result in zip(unknown, elsewhere, strict=True):
                results[number] = result
            self._counts["unknown"] += results.count("unknown")
        return results

    async def here(self, told: Sequence[Told]) -> list[Result]:
        """As own(), however many they are: requests are served in between."""
        results: list[Result] = []
        for start in range(0, len(told), _LABELS_AT_ONCE):
            results += self.own(told[start : start + _LABELS_AT_ONCE])
            await asyncio.sleep(0)
        return results

    def own(self, told: Sequence[Told]) -> list[Result]:
        """What becomes of each in this process; those unknown here are nobody's and not counted."""
        self._scores.settle()
        results = [self._take(one) for one in told]
        for result in results:
            if result != "unknown":
                self._counts[result] += 1
        return results

    def points(self) -> Points:
        """See names.Points."""
        for result, count in self._counts.items():
            yield FEEDBACK, (result,), count

    def _take(self, told: Told) -> Result:
        request_id = told.owner + told.request_id
        kept = self._memory.find(request_id)
        if kept is None:
            return "late" if self._made(told.request_id) else "unknown"
        if kept == "told":
            return "repeated"
        judged, along = kept
        if not judged.in_time:
            return "unanswered"
        quality = _quality(told, judged.classes)
        if quality is None:
            return "unlabelled"
        self._memory.told(request_id)
        self._scores.tell("feedback", judged, quality)
        unanswered = self._unanswered[judged.tier]
        if unanswered.table == judged.table:
            self._tell_unanswered(unanswered, along)
        return "taken"

    def _tell_unanswered(self, unanswered: Unanswered, along: float) -> None:
        unanswered.due += along
        count = min(int(unanswered.due), _MOST_AT_ONCE)
        unanswered.due -= count
        if count:
            assert unanswered.last is not None
            self._scores.tell("feedback", unanswered.last, 0.0, count)


def _quality(told: Told, classes: tuple[int, ...] | None) -> float | None:
    """Of a batch: the share of samples whose class is the right one. None: that cannot be told."""
    if told.labels is None:
        return told.quality
    if not classes or len(classes) != len(told.labels):
        return None
    return sum(map(int.__eq__, classes, told.labels)) / len(classes)


def encode(told: Sequence[Told]) -> list[Any]:
    """As JSON has it."""
    return [[one.request_id.decode(), one.labels, one.quality, one.owner.decode()] for one in told]


def decode(content: Sequence[Any]) -> list[Told]:
    """The opposite of encode()."""
    return [
        Told(
            request_id.encode(), None if labels is None else tuple(labels), quality, owner.encode()
        )
        for request_id, labels, quality, owner in content
    ]
