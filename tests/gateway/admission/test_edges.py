"""Admission where others come and go, where nothing costs anything, and where very many wait."""

from dataclasses import dataclass

import pytest

from gateway.account import Account
from gateway.admission import Admission, Ticket
from tests.gateway.admission.test_admission import Client, House
from tests.gateway.virtual import VirtualClock


def test_who_waits_for_others_to_end_goes_at_the_next_look() -> None:
    """Nobody tells that another gateway has less in flight: scale() is called to find out."""
    house = House(places=2)
    house.others = 1
    house.account.look()
    house.enter("a")
    waiting = house.enter("a")
    assert not waiting.fate
    house.others = 0
    house.scale(2, 1)
    assert waiting.fate == ["admitted"]


def test_a_race_ahead_is_two_calls() -> None:
    """One of them goes before a newcomer that is next for the other's place."""
    house = House(places=2)
    house.enter("a")
    house.enter("c")
    house.enter("a", "b", deadline=1.0)
    # All 60 ms in flight must end, and half of the race's 30 ms.
    assert house.admission.wait_s(1, 2.0, ("a",)) == pytest.approx(0.075, rel=0.01)


def test_where_nothing_is_known_of_costs_no_wait_is_foreseen() -> None:
    """However long nothing has ended: it is no reason to refuse anybody."""
    clock = VirtualClock()
    account = Account({"a": 0.0})
    admission = Admission(account, clock, places=1)

    class Asks:
        def admitted(self) -> None:
            account.add("a")

        def turned_away(self) -> None:
            pytest.fail("there is room to wait")

    for _ in range(2):
        admission.enter(Ticket(Asks(), ("a",), 1, 1e9, 0.0))
    clock.run_until(3600.0)
    assert (admission.waiting, admission.wait_s(1, 1e9, ("a",))) == (1, 0.0)


def test_many_that_give_their_places_back_at_once_are_let_in_one_after_another() -> None:
    """A place that thousands have no use for any more costs no stack."""
    house = House(places=1, waiting=5000)
    house.enter("a")

    @dataclass(eq=False)
    class Gone(Client):
        def admitted(self) -> None:
            self.fate.append("admitted")
            house.admission.freed()

    gone = [Gone(house) for _ in range(3000)]
    for client in gone:
        client.ticket = Ticket(client, ("a",), 1, 1.0, 0.01)
        house.admission.enter(client.ticket)
    last = house.enter("a", deadline=2.0)
    house.end()
    assert all(client.fate == ["admitted"] for client in gone)
    assert last.fate == ["admitted"]


def limited(variant: str) -> House:
    """Eight places, of which one call of `variant` may take one, and does."""
    house = House(places=8)
    while house.admission.limits[variant] > 1:
        house.clock.run_until(house.clock.now() + 1)
        house.admission.ended(variant, 0.5, good=False)
    house.enter(variant)
    return house


def test_free_places_are_of_no_use_to_who_asks_a_limited_variant() -> None:
    """Its own call has to end, however many places there are."""
    assert limited("a").admission.wait_s(1, 1.0, ("a",)) == pytest.approx(0.01, rel=0.01)


def test_a_place_that_a_race_waits_beside_is_not_free_for_who_comes_later() -> None:
    """One of the two that it needs: a less urgent call would take it for ever."""
    house = House(places=2)
    house.enter("c")
    house.enter("a", "b", deadline=1.0)
    assert house.admission.wait_s(1, 2.0, ("a",)) > 0.05
    assert house.admission.wait_s(1, 0.5, ("a",)) == 0.0


def test_good_calls_raise_a_limit_that_bad_ones_lowered() -> None:
    """One at a time is enough to be allowed a second, and says nothing of a third."""
    house = limited("a")
    for _ in range(5):
        house.end()
        house.enter("a")
        assert house.admission.limits["a"] == 2


def test_what_a_request_will_ask_later_counts_before_those_behind_it() -> None:
    """A cascade that waits is more work than its first stage."""
    house = House(places=1)
    house.enter("a")
    house.enter("a", deadline=0.5, work_s=0.05)
    assert house.admission.wait_s(1, 1.0, ("a",)) == pytest.approx(0.06, rel=0.01)


def test_where_there_are_fewer_places_than_there_were_the_rest_must_end_first() -> None:
    """Of four calls three, until there is one place of two."""
    house = House(places=4)
    for _ in range(4):
        house.enter("a")
    house.admission.resize(2)
    assert house.admission.wait_s(1, 1.0, ("a",)) == pytest.approx(0.03, rel=0.01)
    waiting = house.enter("a", deadline=0.5)
    assert not waiting.fate
    assert house.admission.wait_s(1, 1.0, ("a",)) == pytest.approx(0.04, rel=0.01)


def test_what_ends_is_measured_while_somebody_waits_though_places_are_free() -> None:
    """A limited variant does a call in 20 ms that counts as 10: half a second in a second."""
    house = limited("a")
    house.enter("a", deadline=1e9)
    for _ in range(400):
        house.enter("a", deadline=1e9)
        house.clock.run_until(house.clock.now() + 0.02)
        house.end(good=False)
    assert house.admission.drain == pytest.approx(0.5, rel=0.05)
