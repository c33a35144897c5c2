"""Three times as much as the device can do, in virtual time: who is served, and what was foreseen.

`python -m tests.gateway.admission.test_overload` prints the figures.
"""

from dataclasses import dataclass, field

import numpy as np
import pytest

from gateway.account import Account
from gateway.admission import Admission, Ticket
from tests.gateway.virtual import VirtualClock

SERVICE_S = 0.02
PLACES = 4
CAPACITY = PLACES / SERVICE_S  # requests a second


@dataclass(eq=False)
class Request:
    """One request: what was foreseen for it, and what became of it."""

    world: "World"
    ticket: Ticket = field(init=False)
    came: float
    foreseen_s: float
    waited_s: float | None = None

    def admitted(self) -> None:
        """See Waiter."""
        world = self.world
        now = world.clock.now()
        self.waited_s = now - self.came
        worth_s = world.account.add("a")
        seconds = float(world.rng.exponential(SERVICE_S))

        def end() -> None:
            world.account.remove("a", worth_s)
            world.admission.ended("a", seconds, True)
            world.admission.freed()

        world.clock.call_at(now + seconds, end)

    def turned_away(self) -> None:
        """See Waiter."""


class World:
    """A device that works on PLACES requests at once, and clients of three priorities."""

    def __init__(self, loads: dict[int, float], seconds: float, deadline_s: float) -> None:
        """loads: by priority, in multiples of the device's capacity."""
        self.clock = VirtualClock()
        self.rng = np.random.default_rng(7)
        self.account = Account({"a": SERVICE_S})
        self.admission = Admission(self.account, self.clock, places=PLACES, waiting=256)
        self.deadline_s = deadline_s
        self.requests: dict[int, list[Request]] = {priority: [] for priority in loads}
        self.refused = dict.fromkeys(loads, 0)
        self.most_waiting = 0
        for priority, load in loads.items():
            rng = np.random.default_rng([priority])
            for at in rng.uniform(0, seconds, rng.poisson(load * CAPACITY * seconds)):
                self.clock.call_at(float(at), lambda p=priority: self.arrive(p))  # type: ignore[misc]
        self.clock.run_until(seconds + 10)

    def arrive(self, priority: int) -> None:
        """One request; it enters if it would have its place by its deadline."""
        now = self.clock.now()
        deadline = now + self.deadline_s
        foreseen_s = self.admission.wait_s(priority, deadline, ("a",))
        if foreseen_s > self.deadline_s:
            self.refused[priority] += 1
            return
        request = Request(self, now, foreseen_s)
        request.ticket = Ticket(request, ("a",), priority, deadline, SERVICE_S)
        self.requests[priority].append(request)
        self.admission.enter(request.ticket)
        self.clock.call_at(deadline, lambda: self.admission.withdraw(request.ticket))
        self.most_waiting = max(self.most_waiting, self.admission.waiting)

    def waits(self, priority: int) -> np.ndarray:  # type: ignore[type-arg]
        """Foreseen and real wait of those who got in, seconds."""
        return np.array(
            [(r.foreseen_s, r.waited_s) for r in self.requests[priority] if r.waited_s is not None]
        ).reshape(-1, 2)

    def got_in(self, priority: int) -> float:
        """Share of those who entered."""
        return len(self.waits(priority)) / max(1, len(self.requests[priority]))


OVERLOAD = {1: 0.6, 2: 0.6, 3: 1.8}


def test_the_most_urgent_do_not_notice_the_rest() -> None:
    """At three times capacity they wait as theory says: for one service to end, and each other.

    Non-preemptive priorities on a device that is never idle: 1 / capacity / (1 - load of their
    own) on average (Cobham 1954), however many less urgent ones there are.
    """
    world = World(OVERLOAD, 120, deadline_s=0.2)
    assert world.refused[1] == 0
    assert world.got_in(1) == 1.0
    theory_s = 1 / CAPACITY / (1 - OVERLOAD[1])
    assert world.waits(1)[:, 1].mean() == pytest.approx(theory_s, rel=0.1)


def test_what_is_foreseen_comes_true() -> None:
    """Of the most urgent it is the mean wait; of others one that few exceed, and most get in."""
    world = World(OVERLOAD, 60, deadline_s=0.2)
    foreseen, real = world.waits(1).mean(axis=0)
    assert foreseen == pytest.approx(real, rel=0.1)
    foreseen, real = world.waits(2).T
    assert np.mean(real <= foreseen + 1e-9) > 0.9
    assert world.got_in(2) > 0.93
    assert world.refused[3] > 0.9 * OVERLOAD[3] * CAPACITY * 60


def test_what_waits_is_bounded_and_leaves() -> None:
    """Also when nobody is refused beforehand: no more than the bound, and none is left."""
    world = World({1: 3.0}, 30, deadline_s=5.0)
    assert world.most_waiting <= 256
    assert world.admission.waiting == 0
    assert world.account.own == 0


def report() -> None:
    """Print what was foreseen beside what came."""
    for deadline_s in (0.1, 0.2, 1.0):
        for loads in ({1: 0.6}, {1: 0.9}, {1: 3.0}, OVERLOAD, {1: 0.3, 2: 0.3, 3: 0.3}):
            world = World(loads, 120, deadline_s)
            print(f"deadline {deadline_s * 1000:.0f} ms, loads {loads}, {world.most_waiting=}")
            for priority in loads:
                waits = world.waits(priority)
                if not len(waits):
                    print(f"  {priority}: none got in, {world.refused[priority]} refused")
                    continue
                foreseen, real = waits.T * 1000
                print(
                    f"  {priority}: entered {len(world.requests[priority])}, refused "
                    f"{world.refused[priority]}, in {world.got_in(priority):.3f}; real mean "
                    f"{real.mean():.2f} p99 {np.quantile(real, 0.99):.2f} ms, foreseen mean "
                    f"{foreseen.mean():.2f}, mean error {np.abs(foreseen - real).mean():.2f} ms, "
                    f"corr {np.corrcoef(foreseen, real)[0, 1]:.2f}"
                )


if __name__ == "__main__":
    report()
