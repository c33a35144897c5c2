"""What is known of requests that have ended: many at once, which costs a fraction of one by one."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat

from gateway.dataplane import NOT_COUNTED, Answer, Reading
from gateway.live.expected import Expected, untold
from gateway.live.judged import Judged
from gateway.upstream.base import Reply
from tailq.route import Decision
from tailq.tier import Promise, Served

# (variant, answers of its) -> what each says, as a dataplane.Read does of one.
ReadAll = Callable[[str, Sequence[Reply]], list[Reading | None]]
Readings = Sequence[Reading | None]


class Judge:
    """Of the answers of table `number`. served: see TierTable. read: what answers say."""

    def __init__(self, served: Mapping[str, Served], read: ReadAll, number: int) -> None:
        self._number = number
        self._expected = Expected(served)
        self._read = read

    def readings(self, answers: Sequence[Answer]) -> Readings:
        """Of the answers that left, read now unless their plans did. None: of no answer, too."""
        readings: list[Reading | None] = [None] * len(answers)
        unread: dict[str, list[tuple[int, Reply]]] = defaultdict(list)
        for place, answer in enumerate(answers):
            variant, result = answer.variant, answer.result
            if not isinstance(result, Reply):
                continue
            if variant in answer.readings:
                readings[place] = answer.readings[variant]
            else:
                unread[variant].append((place, result))
        for variant, asked in unread.items():
            said = self._read(variant, [reply for _, reply in asked])
            for (place, _), reading in zip(asked, said, strict=True):
                readings[place] = reading
        return readings

    def judge(self, answers: Sequence[Answer], readings: Readings) -> list[Judged | None]:
        """What is known of each. None: it is not held against a promise.

        The request was at fault, the client left, or wanted it sooner than anything is promised.
        """
        judged = list(map(_unless_told, answers, readings, repeat(self._number)))
        told: dict[str, list[tuple[Judged, Reading]]] = defaultdict(list)
        for one, reading in zip(judged, readings, strict=True):
            if one is not None and reading is not None:
                told[one.variant].append((one, reading))
        for variant, those in told.items():
            expected = self._expected.qualities(variant, [reading for _, reading in those])
            for (one, _), quality in zip(those, expected, strict=False):
                one.expected, one.by_confidence = quality, True
        return judged


def first_confidences(answers: Sequence[Answer], readings: Readings) -> dict[str, list[float]]:
    """What the variants said that were asked first, which see every request of their plans.

    A later one sees those that the first was unsure of, which are not the profile's samples.
    """
    said: dict[str, list[float]] = defaultdict(list)
    for answer, reading in zip(answers, readings, strict=True):
        if not answer.asked:
            continue
        first = answer.asked[0]
        if reading is None or first != answer.variant:
            reading = answer.readings.get(first)
        if reading is not None:
            said[first] += reading.confidence
    return said


def _unless_told(answer: Answer, reading: Reading | None, table: int) -> Judged | None:
    """What is known of a request if no confidence tells."""
    decision = answer.decision
    promise = decision.promise if decision.best_effort is None else _applicable(decision)
    if promise is None or answer.outcome in NOT_COUNTED:
        return None
    tier, variant, promised = decision.tier.name, answer.variant, promise.quality
    if not isinstance(answer.result, Reply):
        return Judged(tier, variant, promised, 0.0, False, table=table)
    classes = None if reading is None else reading.classes
    return Judged(tier, variant, promised, untold(promise), True, classes, False, table)


def _applicable(decision: Decision) -> Promise | None:
    """What the tier promises by this deadline, whatever is done instead; None: nothing."""
    promises = reversed(decision.tier.promises)
    return next((each for each in promises if each.deadline_s <= decision.deadline_s), None)
