"""Three times as much as the device can do, tiers mixed: what is admitted, when, and what is right.

`python -m tests.loadtest.simulation.overload [TIERS PROFILE]` prints a table of all scenes.
"""

import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, sqrt
from pathlib import Path
from statistics import median

from gateway.dataplane import IN_TIME
from loadtest.openloop import Reply
from loadtest.simulation import samples
from loadtest.simulation.faults import Fault, Kind
from loadtest.simulation.run import Setting, play
from loadtest.simulation.samples import Answers
from tailq import artefact
from tailq.plan import Cascade, Plan, Rescue, Single
from tailq.tier import Option, Otherwise, Promise, Stop, Tier, TierTable
from tests.loadtest.simulation.worlds import ANSWERS, QUALITY, SERVED, SERVICE_S
from tests.tables import promise, table, tier

LOAD = 3.0  # in multiples of the capacity


def _tier(name: str, priority: int, otherwise: Otherwise, of: Promise) -> Tier:
    made = tier(name, 0.01 * priority, of)
    return made.model_copy(update={"priority": priority, "otherwise": otherwise})


def _promise(deadline_s: float, quality: float, plan: Plan, *shares: float) -> Promise:
    """By a plan of which such shares of requests end at each variant, as its profile has it."""
    variants = plan.variants
    stops = tuple(Stop(share=s, quality=tuple(QUALITY[v] for v in variants)) for s in shares)
    work_s = sum(
        share * sum(SERVICE_S[v] for v in variants[: 1 + stage])
        for stage, share in enumerate(shares)
    )
    made = Option(plan=plan, stops=stops, work_s=work_s)
    return promise(plan, deadline_s, quality).model_copy(update={"options": (made,)})


# The first tier's profile says that one request of ten goes on to "large", but of ANSWERS it is one
# of four.
MIXED: TierTable = table(
    _tier(
        "gold",
        1,
        "best_effort",
        _promise(0.15, 0.75, Cascade(stages=("small", "large"), thresholds=(0.9,)), 0.9, 0.1),
    ),
    _tier(
        "silver",
        2,
        "best_effort",
        _promise(0.2, 0.85, Rescue(primary="large", rescuer="medium", after_s=0.1), 1.0, 0.0),
    ),
    _tier("bronze", 3, "shed", _promise(0.5, 0.85, Single(variant="medium"), 1.0)),
    max_outstanding=4,
).model_copy(update={"served": SERVED})


@dataclass(frozen=True)
class World:
    """A table, what answers are, and how traffic is mixed. mix: shares of the tiers."""

    table: TierTable = MIXED
    answers: Answers = ANSWERS
    mix: Mapping[str, float] = field(
        default_factory=lambda: {"gold": 0.2, "silver": 0.3, "bronze": 0.5}
    )

    def unsure(self) -> "World":
        """The same, where no variant is ever sure of its answer."""
        answers = {
            variant: [(None if sure is None else 0.0, score) for sure, score in told]
            for variant, told in self.answers.by_variant.items()
        }
        return replace(self, answers=Answers(answers, self.answers.count))

    def play(
        self, rate: float, seconds: float, seed: int, faults: Sequence[Fault] = ()
    ) -> list[Reply]:
        """What comes of `rate` requests a second, over all tiers."""
        setting = Setting(
            table=self.table,
            variants={name: self.table.served[name] for name in sorted(self.table.variants)},
            rates={name: rate * share for name, share in self.mix.items()},
            seconds=seconds,
            seed=seed,
            answers=self.answers,
            faults=faults,
        )
        played = play(setting)
        assert played.violations() == []
        return played.replies


def capacity(world: World) -> float:
    """Requests a second of which 99 % are answered in time, up to 5 %."""
    low, high = 1.0, inf
    while high / low > 1.05:
        rate = 2 * low if high == inf else sqrt(low * high)
        replies = world.play(rate, 10.0, seed=0)
        if sum(reply.outcome in IN_TIME for reply in replies) >= 0.99 * len(replies):
            low = rate
        else:
            high = rate
    return low


def bursts(seconds: float, seed: int) -> list[Fault]:
    """Every two seconds or so, for a few tenths, 2 to 5 times as many requests."""
    return _now_and_then("burst", seconds, seed, every_s=2.0, for_s=0.3, factor=(2.0, 5.0))


def foreign(seconds: float, seed: int) -> list[Fault]:
    """Others use the device: every second or so, for 0.2 s or so, all is 1.3 to 3 times slower."""
    return _now_and_then("slow", seconds, seed, every_s=1.0, for_s=0.2, factor=(1.3, 3.0))


def slower(factor: float) -> "Happens":
    """In the middle third of the time all is so many times slower than profiled."""
    return lambda seconds, _: [Fault("slow", seconds / 3, 2 * seconds / 3, factor=factor)]


def _now_and_then(
    kind: Kind,
    seconds: float,
    seed: int,
    *,
    every_s: float,
    for_s: float,
    factor: tuple[float, float],
) -> list[Fault]:
    rng, found, now = random.Random(f"{kind} {seed}"), [], 0.0
    while (now := now + rng.expovariate(1 / every_s)) < seconds:
        until = now + rng.expovariate(1 / for_s)
        found.append(Fault(kind, now, until, factor=rng.uniform(*factor)))
        now = until
    return found


def nothing(_seconds: float, _seed: int) -> list[Fault]:
    """No faults."""
    return []


# (seconds, seed) -> what goes wrong.
Happens = Callable[[float, int], list[Fault]]
SCENES: Mapping[str, Happens] = {
    "steady": nothing,
    "bursts": bursts,
    "1.5 x slower": slower(1.5),
    "3 x slower": slower(3.0),
    "foreign load": foreign,
}


@dataclass(frozen=True)
class Measured:
    """Of requests at LOAD times the capacity.

    in_time: share of those admitted. by_tier: the same, and the share that was admitted. right_s:
    right answers in time, a second. refusal: median time of those shed over that of those admitted.
    in_vain: share of the shed that had waited before.
    """

    in_time: float
    by_tier: Mapping[str, tuple[float, float]]
    right_s: float
    refusal: float
    in_vain: float


def measure(
    world: World, rate: float, happens: Happens, seeds: Iterable[int], seconds: float
) -> Measured:
    """Over all seeds together."""
    all_of: dict[str, list[Reply]] = defaultdict(list)
    runs = 0
    for seed in seeds:
        runs += 1
        for reply in world.play(rate, seconds, seed, happens(seconds, seed)):
            all_of[reply.tier].append(reply)
    replies = [reply for each in all_of.values() for reply in each]
    shed = [reply.latency_s for reply in replies if reply.outcome == "shed"]
    admitted = [reply.latency_s for reply in replies if reply.outcome != "shed"]
    right = sum(reply.correct and reply.outcome in IN_TIME for reply in replies)
    return Measured(
        _in_time(replies)[0],
        {name: _in_time(all_of[name]) for name in world.mix},
        right / (runs * seconds),
        median(shed) / median(admitted),
        sum(seconds > 0 for seconds in shed) / len(shed),
    )


def _in_time(replies: Sequence[Reply]) -> tuple[float, float]:
    """Shares in time of those admitted, and admitted of all."""
    admitted = [reply for reply in replies if reply.outcome != "shed"]
    in_time = sum(reply.outcome in IN_TIME for reply in admitted)
    return in_time / max(1, len(admitted)), len(admitted) / len(replies)


def report(world: World) -> None:
    """Print all scenes: eight seeds, half a minute each."""
    for asked, there in (("as profiled", world), ("all unsure", world.unsure())):
        most = capacity(there)
        print(f"{asked}: capacity {most:.0f} requests/s")
        for name, happens in SCENES.items():
            got = measure(there, LOAD * most, happens, range(1, 9), 30.0)
            tiers = "  ".join(
                f"{tier} {in_time:.2%} of {admitted:.0%}"
                for tier, (in_time, admitted) in got.by_tier.items()
            )
            print(
                f"  {name:13} in time {got.in_time:.2%} of those admitted; right/s "
                f"{got.right_s:.1f}; a refusal takes {got.refusal:.2f} of their median, "
                f"{got.in_vain:.1%} of the shed had waited; {tiers}"
            )


if __name__ == "__main__":
    if sys.argv[1:]:
        tiers, profile = map(Path, sys.argv[1:])
        read = artefact.read(tiers, TierTable)
        share = 1 / len(read.tiers)
        mix = {each.name: share for each in read.tiers}
        report(World(read, samples.read(profile), mix))
    else:
        report(World())
