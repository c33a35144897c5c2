"""Endpoints that come and go under requests, in virtual time."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream import fleet as module
from gateway.upstream.member import Member
from tests.gateway.upstream.tritons import ILL, LOST, REFUSED, REPLY, WORK, Asker, VirtualTriton
from tests.gateway.upstream.tritons import World as Plain
from tests.gateway.virtual import Behaviour

FIRST = 8000  # port of Triton 0
READY = dict.fromkeys(WORK, True)


class World(Plain):
    """A fleet that may become another one, of Tritons that are known by their numbers."""

    def become(self, *numbers: int) -> None:
        """These are in the list from now on."""
        while len(self.tritons) <= max(numbers):
            self.tritons.append(VirtualTriton(self.clock, len(self.tritons)))
        self.fleet.become([self.tritons[number] for number in numbers])

    def member(self, number: int) -> Member[VirtualTriton]:
        """Of that Triton."""
        return next(one for one in self.fleet.members if one.triton is self.tritons[number])

    def present(self) -> list[int]:
        """Which Tritons are members."""
        return [one.triton.endpoint.port - FIRST for one in self.fleet.members]


def test_a_new_endpoint_is_asked_once_it_is_up() -> None:
    """Nothing is known of it before: with requests it is not found out."""
    world = World(1)
    world.become(0, 1)
    for _ in range(10):
        assert world.get() == REPLY
    assert world.asked() == [10, 0]
    assert world.fleet.endpoints == 1
    world.member(1).serves({"small": True, "large": False})
    for _ in range(10):
        assert world.get("small") == REPLY
    assert world.asked() == [15, 5]
    assert world.fleet.endpoints == 2
    assert world.get("large") == REPLY
    assert world.asked() == [16, 5]


def test_one_that_leaves_ends_what_it_has_and_gets_nothing_more() -> None:
    """Its connections close behind that; what it does not begin on goes to one that stays."""
    world = World(2)
    world.tritons[0].always(REPLY, after_s=1.0)
    world.tritons[1].always(REPLY, after_s=1.0)
    asked = [world.ask() for _ in range(6)]
    world.tritons[0].always(REFUSED, after_s=0.5)
    unlucky = [world.ask() for _ in range(2)]
    left, before = world.member(0), world.asked()
    world.become(1)
    assert world.tritons[0].retired
    assert not world.tritons[1].retired
    assert world.present() == [1]
    for _ in range(10):
        assert world.get() == REPLY
    world.sleep(3.0)
    assert all(one.result == REPLY for one in (*asked, *unlucky))
    assert world.fleet.retried == 1
    assert world.asked()[0] == before[0]
    assert left.work == world.member(1).work == 0


def test_one_that_stays_keeps_all_it_has() -> None:
    """Its work in flight, its breakers and what was seen of it."""
    world = World(2)
    stays = world.member(0)
    world.tritons[0].always(ILL)
    for _ in range(20):
        world.get("large")
    world.tritons[0].always(REPLY, after_s=5.0)
    world.ask("small")
    world.ask("small")
    state, work = stays.offers["large"].breaker.state, stays.work
    assert state != "closed"
    assert work > 0
    world.become(2, 0)
    assert world.present() == [2, 0]
    assert world.member(0) is stays
    assert stays.offers["large"].breaker.state == state
    assert stays.work == work


def test_all_are_replaced_only_when_a_new_one_is_up() -> None:
    """Until then the old ones are asked, though they are not in the list: there is nobody else."""
    world = World(2)
    world.become(2, 3)
    assert all(world.get() == REPLY for _ in range(10))
    assert world.asked() == [5, 5, 0, 0]
    assert [one.leaving for one in world.fleet.members] == [False, False, True, True]
    world.member(2).down("connection refused")
    assert world.present() == [2, 3, 0, 1]
    world.member(3).serves(READY)
    assert world.present() == [2, 3]
    assert world.tritons[0].retired
    assert world.tritons[1].retired
    assert all(world.get() == REPLY for _ in range(10))
    assert world.asked() == [5, 5, 0, 10]


def test_lists_of_what_never_is_up_do_not_pile_up() -> None:
    """Only what is up is asked on until another one is: here the first, in spite of all lists."""
    world = World(1)
    returns = world.fleet.returns
    for number in range(1, 100):
        world.become(number)
        world.member(number).down("connection refused")
        assert world.get() == REPLY
        assert world.fleet.returns > returns
        returns = world.fleet.returns
    assert world.present() == [99, 98, 0]
    assert [triton.retired for triton in world.tritons] == [False, *[True] * 97, False, False]


def test_one_that_is_listed_again_before_it_left_stays() -> None:
    """With all it has."""
    world = World(1)
    stays = world.member(0)
    world.become(1)
    world.become(0)
    assert world.fleet.members == (stays,)
    assert not stays.leaving
    assert not world.tritons[0].retired


def test_ejections_outlast_an_endpoint() -> None:
    """A counter that fell would be a restart; of one that comes back it goes on."""
    world = World(2)
    world.member(0).down("for a test")
    world.become(1)
    name = str(world.tritons[0].endpoint)
    assert world.fleet.ejected[name] == {"": 1, "small": 0, "large": 0}
    world.become(0, 1)
    assert world.member(0).is_up is None
    world.member(0).down("again")
    assert world.fleet.ejected[name] == {"": 2, "small": 0, "large": 0}


def test_ejections_of_those_that_left_long_ago_are_forgotten(monkeypatch: Any) -> None:
    """Where endpoints get other addresses again and again memory stays bounded."""
    monkeypatch.setattr(module, "_REMEMBERED", 4)
    world = World(2)
    for number in range(2, 20):
        world.become(0, number)
    kept = [str(world.tritons[number].endpoint) for number in (0, 17, 18, 19)]
    assert list(world.fleet.ejected) == kept


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(sorted(WORK))),
        st.tuples(st.just("wait"), st.floats(0, 1)),
        st.tuples(
            st.just("become"), st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True)
        ),
        st.tuples(st.just("up"), st.integers(0, 4)),
        st.tuples(st.just("down"), st.integers(0, 4)),
        st.tuples(st.just("ill"), st.integers(0, 4)),
    ),
    max_size=60,
)


@given(STEPS, st.integers())
def test_whatever_list_comes_nothing_is_lost(steps: list[tuple[str, Any]], seed: int) -> None:
    """One result for each request, good where the Tritons are; none is asked that has left.

    Members are those listed and, as long as none of these is up, those before; counters never fall.
    """
    world = World(2, seed)
    world.become(0, 1, 2, 3, 4)
    world.become(0, 1)
    for triton in world.tritons:
        triton.now = Behaviour(0.3)
    listed, asked, counted = {0, 1}, list[Asker](), 0
    for what, value in steps:
        before, present = world.asked(), set(world.present())
        if what == "become":
            listed = set(value)
            world.become(*value)
        elif what == "ask":
            asked.append(world.ask(value))
        elif what == "wait":
            world.sleep(value)
        else:
            _happens(world, what, value)
        grown = {i for i, n in enumerate(world.asked()) if n > before[i]}
        assert grown <= present
        assert set(world.present()) >= listed
        assert set(world.present()) == listed or not any(world.member(i).is_up for i in listed)
        returns = world.fleet.returns + sum(
            sum(one.values()) for one in world.fleet.ejected.values()
        )
        assert returns >= counted
        counted = returns
    world.sleep(1.0)
    for one in asked:
        assert one.result == REPLY or any(what in ("ill", "down") for what, _ in steps)
    for number in listed:
        world.tritons[number].script.clear()
        world.member(number).serves(READY)
    assert set(world.present()) == listed
    assert all(one.work == 0 for one in world.fleet.members)
    world.sleep(5.0)
    assert all(world.get(variant) == REPLY for variant in WORK for _ in range(10))


def _happens(world: World, what: str, number: int) -> None:
    if number not in world.present():
        return
    if what == "ill":
        world.tritons[number].script = [Behaviour(0.1, LOST)]
    elif what == "up":
        world.member(number).serves(READY)
    else:
        world.member(number).down("no answer")
