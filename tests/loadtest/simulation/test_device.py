"""The simulated Triton: what a call comes to, with each fault and without."""

import random
from dataclasses import dataclass, field

import pytest

from gateway.upstream.base import Call, Failure, Payload, Result
from loadtest.simulation.clock import VirtualClock
from loadtest.simulation.device import NOTICED_S, SimulatedTriton
from loadtest.simulation.faults import Fault, Schedule
from loadtest.simulation.samples import Told
from tests.loadtest.simulation.worlds import ANSWERS, SERVED, SERVICE_S


@dataclass
class World:
    """A simulated Triton, and what its calls came to: (when, result)."""

    faults: tuple[Fault, ...] = ()
    endpoints: int = 1
    clock: VirtualClock = field(default_factory=VirtualClock)
    ended: list[tuple[float, Result]] = field(default_factory=list)

    def __post_init__(self) -> None:
        schedule = Schedule(self.faults)
        self.triton = SimulatedTriton(
            SERVED, ANSWERS, schedule, self.clock, random.Random(1), self.endpoints
        )

    def ask(self, at: float = 0.0, variant: str = "large", sample: int = 0) -> Call:
        """One call, at this moment."""
        self.clock.run_until(at)
        ended = self.ended
        clock = self.clock

        class Listener:
            def ended(self, result: Result) -> None:
                ended.append((clock.now(), result))

        return self.triton.infer(variant, Payload([b"%d" % sample]), 1e9, Listener())

    def result(self) -> tuple[float, Result]:
        """What the only call came to."""
        self.clock.run_until(1000.0)
        assert len(self.ended) == 1
        assert self.triton.in_flight == 0
        return self.ended[0]


def kind(result: Result) -> str:
    """Of a failure."""
    assert isinstance(result, Failure)
    return result.kind


def test_it_answers_what_the_variant_answered_to_the_sample() -> None:
    """With its confidence and score, after a latency of its own."""
    world = World()
    world.ask(sample=99)
    when, told = world.result()
    assert isinstance(told, Told)
    assert (told.confidence, told.score) == (0.4, 0.0)
    assert when >= SERVICE_S["large"]


def test_the_more_is_outstanding_the_longer_it_takes() -> None:
    """The hundredth call at once waits for the others' work."""
    world = World()
    for _ in range(100):
        world.ask()
    world.clock.run_until(1000.0)
    assert max(when for when, _ in world.ended) > 99 * SERVICE_S["large"] * 0.9


@pytest.mark.parametrize(
    ("fault", "asked_s", "came_to"),
    [
        (Fault("gone", 1, 5), 2.0, "unreachable"),
        (Fault("gone", 1, 5), 0.99, "lost"),
        (Fault("unloaded", 1, 5), 2.0, "unavailable"),
        (Fault("dropped", 1, 5), 2.0, "lost"),
        (Fault("broken", 1, 5), 2.0, "broken"),
    ],
)
def test_a_fault_takes_the_answer(fault: Fault, asked_s: float, came_to: str) -> None:
    """Within its window; after it there are answers again."""
    world = World((fault,))
    world.ask(asked_s)
    assert kind(world.result()[1]) == came_to
    after = World((fault,))
    after.ask(5.0)
    assert isinstance(after.result()[1], Told)


def test_a_wrong_answer_looks_like_a_right_one() -> None:
    """As sure as ever, but worth nothing."""
    world = World((Fault("wrong", 0, 5),))
    world.ask()
    told = world.result()[1]
    assert isinstance(told, Told)
    assert (told.confidence, told.score) == (0.95, 0.0)


@pytest.mark.parametrize(
    ("faults", "heard_s"), [((), 0.001), ((Fault("deaf", 0, 9, factor=3),), 3)]
)
def test_a_cancellation_is_heard_at_once_or_late(faults: tuple[Fault, ...], heard_s: float) -> None:
    """A stuck call ends when its cancellation is heard, once."""
    world = World((Fault("stuck", 0, 9), *faults))
    world.ask().cancel()
    when, result = world.result()
    assert when == pytest.approx(heard_s)
    assert kind(result) == "cancelled"


def test_a_cancellation_that_comes_too_late_changes_nothing() -> None:
    """The answer is there before it is heard."""
    world = World((Fault("deaf", 0, 9, factor=3),))
    world.ask().cancel()
    assert isinstance(world.result()[1], Told)


def test_it_is_noticed_a_second_later_who_is_gone_or_back() -> None:
    """Endpoints, variants, and that somebody is told."""
    world = World((Fault("gone", 1, 5, endpoint=0), Fault("unloaded", 10, 20, "small")), 2)
    told: list[tuple[float, int, frozenset[str]]] = []
    world.triton.changed = lambda: told.append(
        (world.clock.now(), world.triton.endpoints, world.triton.absent)
    )
    world.clock.run_until(100.0)
    assert told == [
        (1 + NOTICED_S, 1, frozenset()),
        (5 + NOTICED_S, 2, frozenset()),
        (10 + NOTICED_S, 2, frozenset({"small"})),
        (20 + NOTICED_S, 2, frozenset()),
    ]


def test_one_of_two_endpoints_gone_loses_only_what_it_worked_on() -> None:
    """What comes after goes to the other one, also before anybody noticed."""
    world = World((Fault("gone", 1, 50, endpoint=0),), 2)
    world.ask(0.999)
    world.ask(0.999)
    for number in range(20):
        world.ask(1.0 + number / 10)
    world.clock.run_until(100.0)
    failed = [result for _, result in world.ended if isinstance(result, Failure)]
    assert [result.kind for result in failed] == ["lost"]
