"""Random tickets, ends, departures and limits: what holds whatever happens."""

from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.account import Account
from gateway.admission import Admission, Ticket
from tests.gateway.virtual import VirtualClock

SERVICE_S = {"a": 0.01, "b": 0.02, "c": 0.05}


@dataclass(eq=False)
class Client:
    """A waiter that checks, as it is let in, that it may be, and that nobody was overtaken."""

    house: "House"
    ticket: Ticket = field(init=False)
    fate: list[Literal["admitted", "turned_away", "withdrawn"]] = field(default_factory=list)

    def admitted(self) -> None:
        """See Waiter."""
        self.fate.append("admitted")
        self.house.let_in(self)

    def turned_away(self) -> None:
        """See Waiter."""
        self.fate.append("turned_away")
        self.house.check_less_urgent_than_all(self)


class House:
    """An admission with its account and all who came."""

    def __init__(self, places: int, waiting: int = 1024) -> None:
        self.clock = VirtualClock()
        self.others = 0
        self.account = Account(SERVICE_S, lambda: (self.others, 0.0))
        self.admission = Admission(self.account, self.clock, places=places, waiting=waiting)
        self.capacity = places
        self.came: list[Client] = []
        self.inside: list[tuple[str, float, float]] = []  # variant, what it is worth, since

    def enter(
        self, *variants: str, priority: int = 1, deadline: float = 1.0, work_s: float = 0.01
    ) -> Client:
        """One more comes."""
        client = Client(self)
        client.ticket = Ticket(client, variants, priority, deadline, work_s)
        self.came.append(client)
        self.admission.enter(client.ticket)
        return client

    def end(self, number: int = 0, *, good: bool = True) -> None:
        """One of the calls in flight ends."""
        variant, worth_s, since = self.inside.pop(number)
        self.account.remove(variant, worth_s)
        self.admission.ended(variant, self.clock.now() - since, good)
        self.admission.freed()

    def end_all(self) -> None:
        """Calls end in the order in which they began, until none is left."""
        while self.inside:
            self.end()

    def withdraw(self, client: Client) -> None:
        """A client loses its interest."""
        if not client.fate:
            client.fate.append("withdrawn")
        self.admission.withdraw(client.ticket)

    def scale(self, places: int, endpoints: int) -> None:
        """Endpoints come or go."""
        self.capacity = places * max(1, endpoints)
        self.admission.scale(endpoints)

    def let_in(self, client: Client) -> None:
        """What must be true at this moment."""
        mine, account = client.ticket, self.account
        limits = self.admission.limits
        assert account.own + self.others + len(mine.variants) <= self.capacity or not account.own
        assert all(account.in_flight[v] < limits[v] for v in mine.variants)
        for ahead in self.ahead_of(mine):
            assert not set(ahead.variants) <= set(mine.variants), "overtaken by its like"
            assert self.lacks_a_variant(ahead), "overtaken, although it could have gone"
        for variant in mine.variants:
            self.inside.append((variant, account.add(variant), self.clock.now()))

    def ahead_of(self, ticket: Ticket) -> list[Ticket]:
        """The tickets that wait and are more urgent."""
        ranks = {
            client.ticket: (client.ticket.priority, client.ticket.deadline, number)
            for number, client in enumerate(self.came)
        }
        waiting = [client.ticket for client in self.came if client.ticket.rank is not None]
        return [other for other in waiting if ranks[other] < ranks[ticket]]

    def lacks_a_variant(self, ticket: Ticket) -> bool:
        """Whether one of its variants is at its limit, counting what more urgent ones keep."""
        ahead = {other.variants for other in self.ahead_of(ticket)}
        return any(
            self.account.in_flight[v] + sum(v in other for other in ahead)
            >= self.admission.limits[v]
            for v in ticket.variants
        )

    def check_less_urgent_than_all(self, client: Client) -> None:
        """Who is turned away is less urgent than everybody who stays."""
        mine = (client.ticket.priority, client.ticket.deadline)
        for other in self.came:
            if other.ticket.rank is not None:
                assert other.ticket.rank[:2] <= mine

    def check(self) -> None:
        """What must be true between any two events."""
        waiting = [client for client in self.came if client.ticket.rank is not None]
        assert self.admission.waiting == len(waiting)
        assert all(not client.fate for client in waiting)
        assert all(len(client.fate) == 1 for client in self.came if client not in waiting)
        # Whoever waits is looked at again when something of our own ends; so something must.
        assert not waiting or self.account.own > 0


wishes = st.tuples(
    st.just("enter"),
    st.sampled_from([("a",), ("b",), ("c",), ("a", "c"), ("b", "c")]),
    st.integers(1, 3),
    st.sampled_from([0.1, 0.2, 0.3]),
)
events = st.one_of(
    wishes,
    wishes,
    st.tuples(st.just("end"), st.integers(0, 99), st.booleans()),
    st.tuples(st.just("end"), st.integers(0, 99), st.just(True)),
    st.tuples(st.just("withdraw"), st.integers(0, 99)),
    st.tuples(st.just("scale"), st.integers(0, 3)),
    st.tuples(st.just("others"), st.integers(0, 6)),
)


@settings(max_examples=300)
@given(st.integers(1, 6), st.integers(0, 12), st.lists(events, min_size=20, max_size=80))
def test_whatever_happens(places: int, waiting: int, happens: list[tuple]) -> None:  # type: ignore[type-arg]
    """Never more in flight than allowed, the order kept, one fate each, and none forgotten."""
    house = House(places, waiting)
    for event in happens:
        house.clock.run_until(house.clock.now() + 0.01)
        match event:
            case "enter", variants, priority, deadline:
                house.enter(*variants, priority=priority, deadline=deadline)
            case "end", number, good if house.inside:
                house.end(number % len(house.inside), good=good)
            case "withdraw", number if house.came:
                house.withdraw(house.came[number % len(house.came)])
            case "scale", endpoints:
                house.scale(places, endpoints)
            case "others", others:
                house.others = others
                house.account.look()
        house.check()
        assert house.admission.waiting <= waiting
        assert house.admission.wait_s(2, 0.2, ("a",)) >= 0
    house.end_all()
    house.check()
    assert house.admission.waiting == 0
    assert house.account.own == 0


def test_a_race_is_not_starved_by_a_stream_of_single_plans() -> None:
    """It goes when what was in flight before it has ended, however many less urgent ones come."""
    house = House(places=3)
    for variant in "abb":
        house.enter(variant)
    race = house.enter("a", "b", deadline=1.0)
    for _ in range(3):
        assert not race.fate
        house.enter("a", deadline=2.0)
        house.enter("b", deadline=2.0)
        house.end()
        if race.fate:
            break
    assert race.fate == ["admitted"]


def lower_limit(house: House, variant: str, to: int) -> None:
    """Let calls of one variant fail until so many are allowed."""
    while house.admission.limits[variant] > to:
        house.clock.run_until(house.clock.now() + 1)
        house.admission.ended(variant, 0.5, good=False)


def test_who_waits_for_a_limited_variant_is_passed_by_who_asks_another() -> None:
    """The variant's own order stays, the others do not notice."""
    house = House(places=8)
    lower_limit(house, "a", 1)
    house.enter("a")
    first, second = house.enter("a", deadline=0.1), house.enter("a", deadline=0.2)
    other = house.enter("b", priority=3)
    assert (first.fate, second.fate, other.fate) == ([], [], ["admitted"])
    house.end(good=False)
    assert (first.fate, second.fate) == (["admitted"], [])


def test_who_waits_for_a_limited_variant_wants_that_one_and_who_lacks_a_place_any() -> None:
    """What is asked for best effort beside them may take what they have no use for."""
    house = House(places=3)
    lower_limit(house, "a", 1)
    house.enter("a")
    assert house.admission.contended == frozenset()
    house.enter("a")
    assert house.admission.contended == {"a"}
    house.enter("b")
    house.enter("b")
    assert house.admission.contended == {"a"}
    house.enter("c")
    assert house.admission.contended == {"a", "b", "c"}
    house.end_all()
    assert house.admission.contended == frozenset()


def test_a_race_that_lacks_one_variant_keeps_a_call_of_the_other() -> None:
    """Two limited variants that are never free at once still let a race in."""
    house = House(places=8)
    lower_limit(house, "a", 1)
    lower_limit(house, "b", 1)
    house.enter("a")
    house.enter("b")
    race = house.enter("a", "b", deadline=1.0)
    later = [house.enter("a", deadline=2.0), house.enter("b", deadline=2.0)]
    house.end(good=False)
    assert not race.fate
    assert not later[0].fate
    house.end(good=False)
    assert race.fate == ["admitted"]


def test_a_race_with_a_single_place_goes_when_nothing_is_in_flight() -> None:
    """It takes more than there is, once, instead of waiting for ever."""
    house = House(places=1)
    house.enter("a")
    race, after = house.enter("a", "b"), house.enter("a")
    house.end()
    assert race.fate == ["admitted"]
    assert not after.fate
    house.end()
    assert not after.fate
    house.end()
    assert after.fate == ["admitted"]


def test_a_departure_lets_those_go_whom_it_held_up() -> None:
    """A race that waits for two places leaves, and the one that is free is taken."""
    house = House(places=2)
    house.enter("a")
    race, single = house.enter("a", "b"), house.enter("b", priority=2)
    assert not single.fate
    house.withdraw(race)
    assert single.fate == ["admitted"]
    house.withdraw(race)  # harmless
    assert race.fate == ["withdrawn"]


def test_when_too_many_wait_the_least_urgent_is_turned_away() -> None:
    """Also when that is the newcomer."""
    house = House(places=1, waiting=2)
    house.enter("a")
    patient, urgent = house.enter("a", priority=3), house.enter("a", priority=2)
    most = house.enter("a", priority=1)
    assert (patient.fate, urgent.fate, most.fate) == (["turned_away"], [], [])
    assert house.enter("a", priority=3).fate == ["turned_away"]


def test_the_least_urgent_is_found_among_all_who_wait() -> None:
    """Whatever they ask."""
    house = House(places=1, waiting=3)
    house.enter("a")
    urgent, patient, newest = (
        house.enter(variant, priority=priority)
        for variant, priority in (("a", 1), ("b", 3), ("c", 2))
    )
    house.enter("a", priority=1)
    assert (urgent.fate, patient.fate, newest.fate) == ([], ["turned_away"], [])
    house.end()
    assert urgent.fate == ["admitted"]


def test_calls_that_were_under_way_together_lower_a_limit_once() -> None:
    """A stall that makes ten calls late is one observation."""
    house = House(places=10)
    for _ in range(10):
        house.enter("a")
    house.clock.run_until(5.0)
    for _ in range(10):
        house.end(good=False)
    assert house.admission.limits["a"] == 9


def test_a_waiter_may_bring_the_next_one() -> None:
    """What is let in may at once enter, withdraw or free: nobody is let in twice or forgotten."""
    house = House(places=2)

    @dataclass(eq=False)
    class Chain(Client):
        def admitted(self) -> None:
            super().admitted()
            if len(house.came) < 6:
                house.enter("a")
            house.admission.freed()

    client = Chain(house)
    client.ticket = Ticket(client, ("a",), 1, 1.0, 0.01)
    house.came.append(client)
    house.admission.enter(client.ticket)
    house.end_all()
    house.check()
    assert house.admission.waiting == 0


def test_more_endpoints_are_more_places() -> None:
    """Those who wait go at once when an endpoint comes back."""
    house = House(places=1)
    house.enter("a")
    second = house.enter("a")
    house.scale(1, 2)
    assert second.fate == ["admitted"]
    assert house.admission.limits == {"a": 2, "b": 2, "c": 2}


def test_other_tiers_may_have_more_places_or_fewer() -> None:
    """With more those who wait go at once; with fewer nobody goes until what is too much ended."""
    house = House(places=1)
    house.enter("a")
    waiting = [house.enter("a") for _ in range(4)]
    house.scale(1, 2)
    house.capacity = 4
    house.admission.resize(2)
    assert [bool(client.fate) for client in waiting] == [True, True, True, False]
    assert house.admission.limits == {"a": 4, "b": 4, "c": 4}
    house.capacity = 2
    house.admission.resize(1)
    for _ in range(2):
        house.end()
        assert not waiting[3].fate
    house.end()
    assert waiting[3].fate == ["admitted"]


def test_the_wait_is_that_for_the_work_ahead() -> None:
    """Places first, then who is more urgent; nothing measured yet: a second in a second."""
    house = House(places=2)
    assert house.admission.wait_s(1, 1.0, ("a",)) == 0.0
    house.enter("a")
    house.enter("c")
    # Both places are taken by 60 ms of work: on average half of it must end.
    assert house.admission.wait_s(1, 1.0, ("a",)) == pytest.approx(0.03, rel=0.01)
    house.enter("b", deadline=0.5, work_s=0.02)
    house.enter("b", deadline=2.0, work_s=0.02)
    assert house.admission.wait_s(1, 1.0, ("a",)) == pytest.approx(0.06, rel=0.01)
    assert house.admission.wait_s(1, 3.0, ("a",)) == pytest.approx(0.08, rel=0.01)


def test_the_wait_follows_the_measured_rate_and_grows_while_nothing_ends() -> None:
    """A device that does twice the work halves it; one that is stuck lengthens it."""
    house = House(places=4)
    for _ in range(4):
        house.enter("b")
    before = house.admission.wait_s(1, 1.0, ("a",))
    for _ in range(400):
        house.enter("b")
        house.clock.run_until(house.clock.now() + 0.01)
        house.end()
    assert house.admission.drain == pytest.approx(2.0, rel=0.05)
    assert house.admission.wait_s(1, 1.0, ("a",)) == pytest.approx(before / 2, rel=0.05)
    house.clock.run_until(house.clock.now() + 2.0)
    assert house.admission.wait_s(1, 1.0, ("a",)) > before


def test_what_leaves_the_account_counts_however_it_ended() -> None:
    """A race's loser is cancelled early: nothing is learned of it, but its place is free."""
    house = House(places=2)
    for _ in range(400):
        house.enter("b", "b", work_s=0.01)
        house.clock.run_until(house.clock.now() + 0.01)
        while house.inside:
            variant, worth_s, _ = house.inside.pop()
            house.account.remove(variant, worth_s)
        house.admission.freed()
    assert house.admission.drain == pytest.approx(4.0, rel=0.05)


def test_the_wait_of_the_less_urgent_counts_what_more_urgent_ones_bring() -> None:
    """With more of these than the device does, there is no end to it."""
    house = House(places=1)
    for _ in range(500):
        house.enter("b", priority=1, work_s=0.02)
        house.clock.run_until(house.clock.now() + 0.018)
        house.end()
    house.enter("b")
    assert house.admission.wait_s(1, 1.0, ("a",)) < 0.05
    assert house.admission.wait_s(2, 1.0, ("a",)) > 0.1


def test_a_newcomer_that_is_not_concerned_by_a_limit_does_not_wait_for_it() -> None:
    """Those who wait for another variant, whose limit is reached, do not count."""
    house = House(places=8)
    lower_limit(house, "a", 1)
    house.enter("a")
    for _ in range(10):
        house.enter("a")
    assert house.admission.wait_s(1, 2.0, ("b",)) == 0.0
    assert house.admission.wait_s(1, 2.0, ("a",)) > 0.05


def test_the_wait_is_reckoned_where_variants_that_cost_nothing_are_left() -> None:
    """What sums of floats leave over is no work, least of all less than none."""
    account = Account({"a": 0.1, "b": 0.7, "c": 0.0})
    admission = Admission(account, VirtualClock(), places=1)
    client = House(places=1).enter("a")  # only so that there is a waiter
    worth = {variant: account.add(variant) for variant in "abc"}
    admission.enter(Ticket(client, ("a",), 1, 1.0, 0.1))
    for variant in "ba":
        account.remove(variant, worth[variant])
    assert account.own_s >= 0
    assert admission.wait_s(2, 1.0, ("a",)) >= 0
