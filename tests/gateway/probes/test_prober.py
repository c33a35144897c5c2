"""Probes in virtual time: how many, of what, in whose account."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dataplane import Answer, Dataplane, Limits
from gateway.live.live import Live
from gateway.live.metrics import Metrics, Views
from gateway.live.names import (
    DELIVERED,
    JUDGED,
    PROBE_ANSWERS,
    PROBES,
    REQUESTS,
    UPSTREAM_DURATION,
    Spec,
)
from gateway.probes import samples
from gateway.probes.prober import Prober
from gateway.upstream.base import Failure, Payload
from tailq import probes as artefact
from tailq.errors import ArtefactError
from tailq.plan import Race
from tailq.route import Ask, Router
from tailq.tier import TierTable
from tests import served as load
from tests.gateway.classes import classifying
from tests.gateway.probes.samples import CLASSES, COUNT, Model, probes, read, read_all
from tests.gateway.virtual import Behaviour, VirtualClock
from tests.tables import promise, table, tier

TABLE = classifying(
    table(
        tier("gold", 0.0, promise("large", 0.3)),
        tier("fast", 0.1, promise("small", 0.05)),
        tier("raced", 0.2, promise(Race(fast="small", accurate="large", threshold=0.5), 0.2)),
    )
)


@dataclass
class Lab:
    """A prober with all that surrounds it. Time stands until it is told to go on."""

    tiers: TierTable = TABLE
    per_s: float = 1.0
    seed: int = 0
    is_ready: bool = True
    abandon_s: float = 10.0
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.upstream = Model(self.clock)
        self.metrics = Metrics(self.tiers, Views())
        self.live = Live(self.tiers, read_all, self.metrics)
        router, limits = Router(self.tiers), Limits(abandon_s=self.abandon_s)
        self.plane = Dataplane(router, self.upstream, self.clock, self.live, limits, read=read)
        self.prober = Prober(
            samples.of(probes(self.tiers)),
            self.plane,
            self.live,
            self.per_s,
            Random(self.seed),
            lambda: self.is_ready,
        )
        self.prober.start()

    def go(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now() + seconds)

    def sums(self, spec: Spec, *labels: str) -> float:
        """Of all series of a metric that have these labels."""
        points = (*self.metrics.points(), *self.live.points(), *self.prober.points())
        return sum(
            value if isinstance(value, int | float) else sum(value.counts)
            for one, values, value in points
            if one is spec and set(labels) <= set(values)
        )


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0.5, 50))
def test_the_rate_is_that_of_all_tiers_together(seed: int, per_s: float) -> None:
    """As many as are wanted, up to chance; as many of one tier as of another, but for one."""
    lab = Lab(seed=seed, per_s=per_s)
    lab.upstream.usual = dict.fromkeys(("small", "large"), Behaviour(after_s=0.0))
    lab.go(400 / per_s)
    sent = [lab.sums(PROBES, each.name) for each in TABLE.tiers]
    assert sum(sent) == pytest.approx(400, abs=6 * 400**0.5)  # six standard errors
    assert max(sent) - min(sent) <= 1


def test_every_sample_has_its_turn() -> None:
    """A tier sees all of them before it sees one again, and in another order the next time."""
    lab = Lab(classifying(table(tier("gold", 0.0, promise("large", 0.3)))), per_s=10.0)
    lab.go(20.0)
    numbers = [body[-1] for _, _, body in lab.upstream.asked]
    rounds = [numbers[start : start + COUNT] for start in range(0, 5 * COUNT, COUNT)]
    assert all(sorted(each) == list(range(COUNT)) for each in rounds)
    assert len(set(map(tuple, rounds))) == 5


def test_no_probe_is_a_clients_request() -> None:
    """They are in no count of requests, nor expected; what Triton does for them is work as any."""
    lab = Lab()
    lab.go(100.0)
    sent = lab.sums(PROBES)
    assert sent > 50
    assert lab.sums(REQUESTS) == 0
    assert lab.sums(JUDGED, "expected") == lab.sums(JUDGED, "feedback") == 0
    assert lab.sums(JUDGED, "probe") == sent
    assert lab.sums(UPSTREAM_DURATION) == len(lab.upstream.asked)


def test_answers_are_scored_by_their_label_and_by_the_profile() -> None:
    """One variant that is another now is told apart, by its own answers, in each of its tiers."""
    lab = Lab(per_s=10.0)
    lab.upstream.answer = lambda variant, number: (number + (variant == "small")) % CLASSES
    lab.go(100.0)
    gold, fast = lab.sums(JUDGED, "gold", "probe"), lab.sums(JUDGED, "fast", "probe")
    assert (lab.sums(DELIVERED, "gold", "probe"), lab.sums(DELIVERED, "fast", "probe")) == (gold, 0)
    assert gold > 100
    assert lab.sums(PROBE_ANSWERS, "large", "other") == 0
    assert lab.sums(PROBE_ANSWERS, "small", "same") == 0
    assert lab.sums(PROBE_ANSWERS, "small", "other") >= fast > 100
    assert lab.sums(PROBE_ANSWERS, "large", "same") >= gold


@pytest.mark.parametrize(
    ("behaviour", "outcome"),
    [
        (Behaviour(after_s=0.4), "late"),
        (Behaviour(result=Failure("lost", "gone")), "failed"),
    ],
)
def test_what_is_not_answered_in_time_is_worth_nothing(behaviour: Behaviour, outcome: str) -> None:
    """And says nothing of the answers."""
    lab = Lab()
    lab.upstream.usual = {"large": behaviour}
    lab.go(200.0)
    assert lab.sums(PROBES, "gold") == lab.sums(PROBES, "gold", outcome) > 20
    assert lab.sums(JUDGED, "gold", "probe") == lab.sums(PROBES, "gold")
    assert lab.sums(DELIVERED, "gold", "probe") == 0


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from(["small", "large"]))
def test_probes_do_not_pile_up(seed: int, hung: str) -> None:
    """Of one tier one is at Triton at most, though its client would have had its 504 long ago."""
    lab = Lab(per_s=20.0, seed=seed, abandon_s=3.0)
    lab.upstream.usual = {hung: Behaviour(after_s=None)}
    most: Counter[str] = Counter()
    for _ in range(400):
        lab.go(0.05)
        for variant, count in lab.plane.account.in_flight.items():
            most[variant] = max(most[variant], count)
    assert most[hung] == 2  # its own tier's, and the race's
    assert lab.sums(PROBES, "fast" if hung == "large" else "gold") > 100  # the others go on


def test_without_a_place_they_wait_and_are_shed_as_any() -> None:
    """They take no place that the tier's clients would not get."""
    lab = Lab(per_s=10.0)
    lab.upstream.usual = {"large": Behaviour(after_s=None), "small": Behaviour(after_s=None)}

    def nobody(answer: Answer) -> None:
        """A client that does not look."""

    for _ in range(TABLE.conditions.max_outstanding):
        lab.plane.open(Ask(tier="gold"), 0.0, nobody).send(Payload([b"\0"]))
    lab.go(9.0)
    assert lab.sums(PROBES) == lab.sums(PROBES, "shed") > 30


def test_they_begin_once_triton_is_there_and_go_on_whatever_becomes_of_it() -> None:
    """Before, nobody was promised anything; afterwards it is what clients get."""
    lab = Lab(is_ready=False)
    lab.go(50.0)
    assert lab.sums(PROBES) == 0
    lab.is_ready = True
    lab.go(50.0)
    before = lab.sums(PROBES)
    assert before > 20
    lab.is_ready = False
    lab.go(50.0)
    assert lab.sums(PROBES) > before + 20


def test_they_stop() -> None:
    """No timer is left, and nothing is sent any more."""
    lab = Lab()
    lab.go(10.0)
    lab.prober.stop()
    lab.go(1.0)
    before = lab.sums(PROBES)
    assert lab.clock.armed() == 0
    lab.go(100.0)
    assert lab.sums(PROBES) == before


def test_other_tiers_are_probed_and_no_counter_falls() -> None:
    """And none at all while there are no samples that fit."""
    lab = Lab()
    lab.go(60.0)
    before = lab.sums(PROBES, "fast")
    lab.prober.serve(TABLE, None)
    lab.go(60.0)
    assert lab.sums(PROBES, "fast") == before > 5
    other = classifying(table(tier("slow", 0.0, promise("large", 0.3))))
    lab.plane.router = Router(other)
    lab.live.reload(other, read_all)
    lab.prober.serve(other, samples.of(probes(other)))
    lab.go(60.0)
    assert lab.sums(PROBES, "slow") > 30
    assert lab.sums(PROBES, "fast") == before


def test_a_variant_that_was_slow_recovers_all_the_same() -> None:
    """Probes go where clients would, so what is avoided is not probed, and is forgotten as slow."""
    gold = load.promise(
        0.2, 0.9, load.option("large", (1.0, 0.95)), load.option("small", (1.0, 0.91))
    )
    tiers = load.table({"large": load.served(0.02), "small": load.served(0.01)}, gold)
    classes = classifying(tiers).served["large"].confidence
    told = {"confidence": classes, "classes": True}
    served = {name: each.model_copy(update=told) for name, each in tiers.served.items()}
    lab = Lab(tiers.model_copy(update={"served": served}), per_s=5.0)

    def share_of_large(large_s: float) -> float:
        lab.upstream.usual = {"large": Behaviour(after_s=large_s), "small": Behaviour(0.01)}
        lab.upstream.asked.clear()
        lab.go(60.0)
        asked = Counter(variant for _, variant, _ in lab.upstream.asked)
        return asked["large"] / asked.total()

    assert share_of_large(0.02) == 1.0
    assert share_of_large(0.5) < 0.5
    assert share_of_large(0.02) > 0.9
    assert share_of_large(0.02) == 1.0


def test_a_file_of_another_profile_is_refused(tmp_path: Path) -> None:
    """And so is one for variants whose answers are no classes; both name the remedy."""
    path = tmp_path / "probes.npz"
    artefact.write(path, probes(TABLE))
    assert samples.read(path, TABLE).labels == [number % CLASSES for number in range(COUNT)]
    artefact.write(path, probes(TABLE, "another"))
    with pytest.raises(ArtefactError, match=r"profile another, .*tailq-profile probes"):
        samples.read(path, TABLE)
    artefact.write(path, probes(TABLE))
    without = TABLE.model_copy(update={"served": {}})
    with pytest.raises(ArtefactError, match="answers of large are none"):
        samples.read(path, without)
