"""What matters, in words."""

from collections.abc import Sequence

from profiler.report.content import Points, Section
from profiler.report.facts import Facts
from profiler.report.words import listed, ms, percent, points

Statement = tuple[str, str]


def summary(facts: Facts) -> Section:
    """Best variant, what deadlines cost it, who is dominated, what is promised."""
    statements = [
        _best(facts),
        *(_within(facts, deadline_s) for deadline_s in facts.deadlines_s),
        _dominated(facts),
        *_promised(facts),
    ]
    return Section("summary", "In short", "", [Points(statements)])


def _best(facts: Facts) -> Statement:
    best = facts.best
    return (
        "Without a deadline",
        f"{facts.names[best.variant]} is best, {percent(best.quality)} "
        f"{facts.profile.metric.name}. With {max(facts.profile.loads)} requests in flight it "
        f"answers in {ms(best.p50_s)} at the median, {ms(best.p99_s)} at the 99th percentile.",
    )


def _within(facts: Facts, deadline_s: float) -> Statement:
    """Who is best at a deadline at its worst load, and what became of the best without one."""
    found = {name: facts.at(name, deadline_s)[1] for name in facts.names}
    winner = max(found, key=lambda name: found[name].quality)
    won = found[winner]
    said = (
        f"{facts.names[winner]} is best at the load that costs most: {percent(won.quality)} on "
        f"average, {percent(won.tail_5)} or more in 95 % of rounds, {percent(won.worst)} in the "
        "worst"
    )
    best = facts.best
    lost = points(best.quality - found[best.variant].quality)
    return (
        f"Within {ms(deadline_s)}",
        f"{said}. The deadline costs it {lost}."
        if winner == best.variant
        else f"{said}. The deadline costs {facts.names[best.variant]} {lost}, which leaves "
        f"{percent(found[best.variant].quality)}.",
    )


def _dominated(facts: Facts) -> Statement:
    beaten = [
        f"{facts.names[s.variant]} is no better and no faster than {facts.names[s.dominated_by]}"
        for s in facts.standings
        if s.dominated_by is not None
    ]
    none = "no variant: whoever is better is slower"
    return ("Dominated:", f"{listed(beaten) if beaten else none}.")


def _promised(facts: Facts) -> Sequence[Statement]:
    if facts.table is None:
        return []
    made = [
        f"{tier.name} {percent(promise.quality)} within {ms(promise.deadline_s)}"
        for tier, promise in facts.promises
    ]
    refused = [f"{m.name} within {ms(m.deadline_s)}" for m in facts.table.not_offered]
    sure = f"all together with {percent(facts.table.confidence, 0)} confidence"
    return [
        ("Promised:", f"{listed(made)}; {sure}." if made else "nothing."),
        *([("Not offered:", f"{listed(refused)}.")] if refused else []),
    ]
