"""Labels that clients tell, and what they say of all requests, labelled or not."""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gateway.live import feedback as module
from gateway.live.feedback import RESULTS, Feedback, Result, Told
from gateway.live.judged import Judged
from gateway.live.names import Source
from tailq.sequential import PromiseWatch

ALPHA = 0.05


class Sums:
    """What is told, as live.Live would count it."""

    def __init__(self) -> None:
        self.judged = self.settled = 0
        self.delivered = 0.0
        self.told: list[tuple[Judged, float]] = []

    def settle(self) -> None:
        self.settled += 1

    def tell(self, source: Source, judged: Judged, quality: float, times: int = 1) -> None:
        assert source == "feedback"
        assert 0 <= quality <= 1
        self.judged += times
        self.delivered += quality * times
        self.told += [(judged, quality)] * times

    @property
    def quality(self) -> float:
        return self.delivered / self.judged


def answered(*classes: int, tier: str = "gold") -> Judged:
    return Judged(tier, "small", 0.9, 0.75, True, classes or None)


def unanswered(tier: str = "gold", table: int = 0) -> Judged:
    return Judged(tier, "small", 0.9, 0.0, False, table=table)


def make(sums: Sums | None = None, most: int = 1000) -> Feedback:
    return Feedback(sums or Sums(), lambda one: one.startswith(b"ours-"), most)


def counts(feedback: Feedback) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for _, (result,), count in feedback.points():
        assert isinstance(count, int)
        numbers[result] = count
    return numbers


def test_a_label_is_right_or_wrong_and_counts_once() -> None:
    """Told again, whatever it says, it is only counted as such."""
    sums = Sums()
    feedback = make(sums)
    feedback.remember(b"a", answered(7))
    feedback.remember(b"b", answered(7))
    told = [Told(b"a", (7,)), Told(b"b", (8,)), Told(b"a", (7,)), Told(b"a", None, 0.0)]
    assert feedback.own(told) == ["taken", "taken", "repeated", "repeated"]
    assert sums.told == [(answered(7), 1.0), (answered(7), 0.0)]
    assert sums.settled == 1  # or what has just ended would not be known
    assert counts(feedback) == {**dict.fromkeys(RESULTS, 0), "taken": 2, "repeated": 2}


def test_a_batch_has_a_label_for_each_sample() -> None:
    """Its quality is the share that is right; of another number of labels nothing is known."""
    sums = Sums()
    feedback = make(sums)
    feedback.remember(b"a", answered(1, 2, 3, 4))
    results = feedback.own([Told(b"a", (1, 2)), Told(b"a", (1, 2, 3, 0))])
    assert results == ["unlabelled", "taken"]
    assert sums.told[0][1] == 0.75


def test_a_quality_needs_no_classes() -> None:
    """And a label is of no use without them; the quality may still come."""
    sums = Sums()
    feedback = make(sums)
    feedback.remember(b"a", answered())
    results = feedback.own([Told(b"a", (1,)), Told(b"a", None, 0.25)])
    assert results == ["unlabelled", "taken"]
    assert sums.told == [(answered(), 0.25)]


def test_what_is_not_known_is_told_apart() -> None:
    """An id from here that is forgotten, one from elsewhere, and a request without an answer."""
    sums = Sums()
    feedback = make(sums, most=1)
    feedback.remember(b"ours-1", answered(1))
    feedback.remember(b"ours-2", unanswered())
    told = [Told(b"ours-1", (1,)), Told(b"ours-2", (1,)), Told(b"theirs", (1,))]
    assert feedback.own(told) == ["late", "unanswered", "unknown"]
    assert not sums.told


def test_a_request_is_found_by_its_owner_only() -> None:
    """Two clients may use the same id; neither can speak of the other's request."""
    sums = Sums()
    feedback = make(sums)
    feedback.remember(b"shop ours-1", answered(1))
    feedback.remember(b"desk x", answered(2))
    told = [Told(b"ours-1", (1,)), Told(b"ours-1", (1,), owner=b"desk "), Told(b"x", (2,))]
    assert feedback.own(told) == ["late", "late", "unknown"]
    assert feedback.own([Told(b"x", (2,), owner=b"desk ")]) == ["taken"]


def test_an_id_that_comes_again_is_the_last_requests() -> None:
    """Its label is that one's, even if the earlier one got its own."""
    sums = Sums()
    feedback = make(sums)
    feedback.remember(b"a", answered(1))
    assert feedback.own([Told(b"a", (1,))]) == ["taken"]
    feedback.remember(b"a", answered(2))
    assert feedback.own([Told(b"a", (2,)), Told(b"a", (2,))]) == ["taken", "repeated"]
    assert [quality for _, quality in sums.told] == [1.0, 1.0]


async def test_siblings_are_asked_for_what_is_unknown_only() -> None:
    """Nobody's is counted here, theirs is counted there."""
    feedback = make()
    asked: list[Sequence[Told]] = []

    async def siblings(told: Sequence[Told]) -> list[Result]:
        asked.append(told)
        return ["unknown", "taken"]

    feedback.siblings = siblings
    feedback.remember(b"a", answered(1))
    told = [Told(b"x", (1,)), Told(b"a", (1,)), Told(b"y", (1,))]
    assert await feedback.take(told) == ["unknown", "taken", "taken"]
    assert asked == [[told[0], told[2]]]
    assert counts(feedback) == {**dict.fromkeys(RESULTS, 0), "taken": 1, "unknown": 1}
    assert await feedback.take([Told(b"a", (1,))]) == ["repeated"]
    assert len(asked) == 1


@given(
    st.lists(
        st.builds(
            Told,
            st.text("ab-9", min_size=1).map(str.encode),
            st.none() | st.lists(st.integers(0, 9), min_size=1).map(tuple),
            st.none() | st.floats(0, 1),
            st.sampled_from([b"", b"shop "]),
        )
    )
)
def test_it_survives_the_way_to_another_process(told: list[Told]) -> None:
    """Encoded and decoded it is the same."""
    assert module.decode(module.encode(told)) == told


class Traffic:
    """Requests of one tier, some of them late, of whose answers some get a label after a while."""

    def __init__(self, seed: int, delay: int) -> None:
        self.sums = Sums()
        self.feedback = make(self.sums, 1 << 16)
        self._random = random.Random(seed)
        self._delay = delay
        self._waiting: deque[tuple[int, bytes, bool]] = deque()
        self._number = 0

    def go(self, requests: int, *, late: float, labelled: float, right: float = 0.9) -> None:
        for _ in range(requests):
            self._number += 1
            name = b"%d" % self._number
            in_time = self._random.random() >= late
            self.feedback.remember(name, answered(1) if in_time else unanswered())
            if in_time and self._random.random() < labelled:
                due = self._number + self._random.randrange(2 * self._delay + 1)
                self._waiting.append((due, name, self._random.random() < right))
            while self._waiting and self._waiting[0][0] <= self._number:
                self.label()

    def label(self) -> None:
        _, name, is_right = self._waiting.popleft()
        assert self.feedback.own([Told(name, (1 if is_right else 2,))]) == ["taken"]


@pytest.mark.parametrize("labelled", [0.01, 0.2, 1.0])
@pytest.mark.parametrize("late", [0.0, 0.02, 0.3, 0.8])
def test_the_mean_is_that_of_all_requests(labelled: float, late: float) -> None:
    """Whatever share of the answers gets labels, and however late they come.

    Allowed are four standard errors of what the labels themselves leave unsure, and what is still
    to come along with answers; were requests without an answer left out, or all told, the mean
    would be far from it.
    """
    requests = 20_000
    traffic = Traffic(seed=hash((labelled, late)) & 0xFFFF, delay=300)
    traffic.go(requests, late=late, labelled=labelled)
    labels = requests * (1 - late) * labelled
    error = (1 - late) * (0.9 * 0.1 / labels) ** 0.5 + (late * (1 - late) / requests) ** 0.5
    waiting = 100 * late / (1 - late)
    assert traffic.sums.quality == pytest.approx(
        0.9 * (1 - late), abs=4 * error + waiting / requests + 1 / traffic.sums.judged
    )


def test_it_follows_what_changes() -> None:
    """A spell of lateness, a time without labels: in the end the mean is of what goes on now."""
    traffic = Traffic(seed=1, delay=100)
    traffic.go(20_000, late=0.5, labelled=0.02)
    traffic.go(20_000, late=0.1, labelled=0.02)
    traffic.go(5_000, late=0.1, labelled=0.0)
    traffic.go(10_000, late=0.1, labelled=0.5)  # the share of labels is known anew
    before = traffic.sums.judged, traffic.sums.delivered
    traffic.go(20_000, late=0.1, labelled=0.5)
    judged, delivered = traffic.sums.judged - before[0], traffic.sums.delivered - before[1]
    assert delivered / judged == pytest.approx(0.81, abs=0.02)


def test_an_outage_counts_once_there_are_answers_again() -> None:
    """Until then nobody tells anything; then it weighs as much as there was of it."""
    traffic = Traffic(seed=2, delay=10)
    traffic.go(5_000, late=0.0, labelled=0.2)
    traffic.go(5_000, late=1.0, labelled=0.2)
    assert sum(not judged.in_time for judged, _ in traffic.sums.told) == 0
    traffic.go(5_000, late=0.0, labelled=0.2)
    unanswered = sum(not judged.in_time for judged, _ in traffic.sums.told)
    assert unanswered == pytest.approx(1_000, rel=0.3)  # fifty labels took most of them along


def false_alarms(seeds: int, requests: int) -> int:
    """Of so many gateways, which deliver just what they promise, how many are said not to."""
    alarms = 0
    for seed in range(seeds):
        traffic = Traffic(seed, delay=300)
        traffic.go(requests, late=0.3, labelled=1.0)
        watch = PromiseWatch(ALPHA)
        highest = 0.0
        for _, quality in traffic.sums.told:
            watch.observe(quality, 0.9 * 0.7)
            highest = max(highest, watch.evidence)
        alarms += highest >= 1
    return alarms


def test_labels_that_come_in_bursts_raise_no_alarm() -> None:
    """What comes along comes between the labels; in a row it would be evidence of a break."""
    assert false_alarms(10, 10_000) <= 1


@pytest.mark.statistics
def test_false_alarms_are_as_rare_as_is_said() -> None:
    """No more than by chance: of a hundred such counts one would be above the bound."""
    runs = 100
    assert false_alarms(runs, 40_000) <= stats.binom.ppf(0.99, runs, ALPHA)


def test_tiers_are_apart() -> None:
    """One tier's late requests are not another's, and carry their own promise."""
    sums = Sums()
    feedback = make(sums)
    for number in range(400):
        feedback.remember(b"f%d" % number, unanswered("fast"))
        feedback.remember(b"g%d" % number, answered(1))
    feedback.own([Told(b"g%d" % number, (1,)) for number in range(400)])
    assert sums.quality == 1.0
    feedback.remember(b"f", answered(1, tier="fast"))
    feedback.own([Told(b"f", (1,))])
    assert [judged.tier for judged, quality in sums.told if not quality] == ["fast"] * 4


def test_one_label_brings_a_hundred_along_at_most() -> None:
    """The others come with the next ones: no request is held up by a thousand sums."""
    sums = Sums()
    feedback = make(sums)
    for _ in range(20_000):
        feedback.remember(b"late", unanswered())
    feedback.remember(b"a", answered(1))
    feedback.remember(b"b", answered(1))
    for request_id, judged in ((b"a", 101), (b"b", 202)):
        feedback.own([Told(request_id, (1,))])
        assert sums.judged == judged


def test_another_table_answers_for_its_own_requests_only() -> None:
    """What was not answered before it came neither goes along with its answers nor with labels."""
    sums = Sums()
    feedback = make(sums)
    for _ in range(500):
        feedback.remember(b"late", unanswered())
    feedback.remember(b"before", answered(1))
    for number in range(100):
        feedback.remember(b"late", unanswered(table=1))
        feedback.remember(b"%d" % number, replace(answered(1), table=1))
    told = [b"before", *(b"%d" % number for number in range(100))]
    assert feedback.own([Told(one, (1,)) for one in told]) == ["taken"] * 101
    without = [judged for judged, _ in sums.told if not judged.in_time]
    assert 20 < len(without) < 100
    assert {judged.table for judged in without} == {1}


async def test_many_labels_hold_nobody_up() -> None:
    """While they are taken, whoever else has something to do has its turn, again and again."""
    feedback = make(most=2000)
    for number in range(1000):
        feedback.remember(b"%d" % number, answered(1))
    taking = asyncio.create_task(feedback.take([Told(b"%d" % n, (1,)) for n in range(1000)]))
    turns = 0
    while not taking.done():
        await asyncio.sleep(0)
        turns += 1
    assert taking.result() == ["taken"] * 1000
    assert turns >= 1000 / module._LABELS_AT_ONCE
