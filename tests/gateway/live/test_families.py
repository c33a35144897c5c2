"""Metrics as plain data: sent and merged without loss."""

import json
import math
from itertools import permutations
from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from gateway.live import families, names
from gateway.live.families import Families, Family, Samples
from gateway.live.histogram import Exemplar, Histogram

COUNTS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**6).map(float), max_size=3)
EDGES = st.sets(st.sampled_from([0.1, 0.2, 0.5, 1.0]))
HISTOGRAMS = st.tuples(EDGES, st.lists(st.floats(0, 2), max_size=10))


def counter(values: dict[str, float]) -> Families:
    samples: Samples = {("n_total", (("of", name),)): value for name, value in values.items()}
    return {"n": Family("n", "counter", "Counts.", samples)}


def gauge(name: str, value: float) -> Families:
    return {name: Family(name, "gauge", "Now.", {(name, ()): value})}


def histogram(edges: set[float], seconds: list[float]) -> Families:
    filled = Histogram(edges)
    for each in seconds:
        filled.observe(each)
    samples: Samples = {("h_bucket", (("le", edge),)): count for edge, count in filled.buckets()}
    samples |= {("h_count", ()): float(len(seconds)), ("h_sum", ()): filled.total}
    return {"h": Family("h", "histogram", "Times.", samples)}


@given(st.lists(COUNTS, min_size=1, max_size=4))
def test_counters_add(members: list[dict[str, float]]) -> None:
    """Label by label; a series that only one process has is kept."""
    merged = families.merge(map(counter, members))["n"].samples
    for name in {name for member in members for name in member}:
        expected = sum(member.get(name, 0.0) for member in members)
        assert merged["n_total", (("of", name),)] == expected
    assert len(merged) == len({name for member in members for name in member})


def test_gauges_follow_their_rule() -> None:
    """Sum of what each holds, or the worst or best of what all see."""
    rules = {"held": "sum", "worst": "min", "best": "max"}
    members = [
        {**gauge("held", value), **gauge("worst", value), **gauge("best", value)}
        for value in (2.0, 5.0, 3.0)
    ]
    merged = families.merge(members, rules)  # type: ignore[arg-type]
    found = {name: merged[name].samples[name, ()] for name in rules}
    assert found == {"held": 10.0, "worst": 2.0, "best": 5.0}


@given(st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=4))
def test_evidence_is_averaged_over_the_processes_that_have_any(values: list[float | None]) -> None:
    """The mean of e-values is one; a process that says nothing is not a 0 in it."""
    members = [
        families.of([] if value is None else [(names.EVIDENCE, ("gold", "expected"), value)], "s")
        for value in values
    ]
    merged = families.merge(members)
    told = [value for value in values if value is not None]
    if not told:
        assert not merged
        return
    (found,) = merged[names.EVIDENCE.name].samples.values()
    assert math.isclose(found, fmean(told))
    assert min(told) <= found * (1 + 1e-12)
    assert found <= max(told) * (1 + 1e-12)


@given(st.lists(st.floats(0, 1e9), min_size=3, max_size=3))
def test_counters_add_up_alike_in_every_order(values: list[float]) -> None:
    """One that fell by its last bit, when a worker was added up elsewhere, would look restarted."""
    members = [families.of([(names.DELIVERED, ("gold", "probe"), each)], "s") for each in values]
    sums = set()
    for first, second, third in permutations(members):
        merged = families.merge((families.merge((first, second)), third))
        sums |= set(merged[names.DELIVERED.name].samples.values())
    assert len(sums) == 1
    assert math.isclose(sums.pop(), math.fsum(values), abs_tol=3e-6)


@given(st.lists(HISTOGRAMS, min_size=1, max_size=4))
def test_histograms_add_though_their_edges_differ(
    members: list[tuple[set[float], list[float]]],
) -> None:
    """Buckets ascend, never claim more than lies below, and end in the count of all."""
    merged = families.merge(histogram(*member) for member in members)["h"].samples
    everything = [each for _, seconds in members for each in seconds]
    assert merged["h_count", ()] == len(everything)
    assert math.isclose(merged["h_sum", ()], math.fsum(everything), abs_tol=1e-9)
    buckets = sorted(
        (float(dict(labels)["le"]), count)
        for (name, labels), count in merged.items()
        if name == "h_bucket"
    )
    counts = [count for _, count in buckets]
    assert counts == sorted(counts)
    assert buckets[-1] == (math.inf, len(everything))
    shared = set.intersection(*(edges for edges, _ in members))
    for edge, count in buckets:
        assert count <= sum(each <= edge for each in everything)
        if edge in shared:
            assert count == sum(each <= edge for each in everything)


@given(COUNTS, HISTOGRAMS)
def test_what_is_sent_is_what_arrives(
    counts: dict[str, float], times: tuple[set[float], list[float]]
) -> None:
    """Through JSON and back nothing is lost."""
    sent = {**counter(counts), **histogram(*times), **gauge("g", 1.5)}
    assert families.decode(json.loads(json.dumps(families.encode(sent)))) == sent


def test_what_lasts_of_a_process_that_ended_is_what_it_counted() -> None:
    """Counters and histograms; nothing is in flight there any more."""
    told = {**counter({"a": 3.0}), **histogram({0.1}, [0.05]), **gauge("g", 7.0)}
    assert families.lasting(told).keys() == {"n", "h"}


def traced(*observed: tuple[float, str, float]) -> Families:
    """The durations of a process whose requests are traced: seconds, trace, time."""
    durations = Histogram((0.1, 1.0))
    for seconds, trace_id, at in observed:
        durations.observe(seconds)
        durations.show(seconds, trace_id, at)
    return families.of([(names.DURATION, ("gold",), durations)], "s")


def test_of_each_bucket_the_newest_exemplar_is_kept() -> None:
    """Whichever process has it."""
    old, new = traced((0.05, "a", 1.0), (0.5, "b", 2.0)), traced((0.07, "c", 3.0), (9.0, "d", 1.0))
    found = {}
    for member in (families.merge((old, new)), families.merge((new, old))):
        for (_, labels), exemplar in member[names.DURATION.name].exemplars.items():
            found[dict(labels)["le"]] = exemplar
    assert found == {
        "0.1": Exemplar("c", 0.07, 3.0),
        "1.0": Exemplar("b", 0.5, 2.0),
        "+Inf": Exemplar("d", 9.0, 1.0),
    }
    assert families.decode(json.loads(json.dumps(families.encode(old)))) == old
