"""What is promised, by which plan, and what each promise rests on."""

from profiler.report.content import Absent, Section, Table
from profiler.report.facts import Facts
from profiler.report.words import count, moment, ms_number, percent, plan_in_words
from tailq.tier import Limit, Option, Tier, TierTable

_METHOD = {
    "ltt": "by Learn then Test: bounds of all plans that hold together",
    "bootstrap": "by bootstrap as published, which is optimistic where many plans compete",
}

_OTHERWISE = {"best_effort": "best effort", "shed": "refused"}


def tiers(facts: Facts) -> Section:
    """The tier table: promised and expected quality, latency, plan; then the basis of each."""
    title = "Tiers"
    if facts.table is None:
        absent = Absent(
            "No tier table was given.",
            "tailq-profile tiers PROFILE --spec tiers.yaml --out tiers.json, "
            "then report … --tiers tiers.json",
        )
        return Section("tiers", title, "What a client may be promised.", [absent])
    table = facts.table
    lead = (
        f"All of these hold together with {percent(table.confidence, 0)} confidence, "
        f"{_METHOD[table.method]}, with up to {table.conditions.max_outstanding} requests in "
        f"flight. Reference: {facts.shown(table.reference.variant)}, "
        f"{percent(table.reference.quality, 2)} {table.metric} without a deadline."
    )
    default = (
        f" A request that names no tier gets {table.default}."
        if table.default
        else " A request that names no tier is refused."
    )
    blocks = [_promised(facts), _basis(facts, table), _options(facts)] if facts.promises else []
    refused = _refused(table)
    return Section("tiers", title, lead + default, [*blocks, *([refused] if refused else [])])


def _promised(facts: Facts) -> Table:
    return Table(
        "What is promised; the columns from “expected” on are as measured at the worst load",
        (
            "tier",
            "within, ms",
            "promised",
            "expected",
            "tail 5 %",
            "in time",
            "p50, ms",
            "p99, ms",
            "asks",
            "cost of 1,000",
            "plan",
        ),
        [
            (
                tier.name,
                ms_number(promise.deadline_s),
                percent(promise.quality, 2),
                percent(promise.expected_quality, 2),
                percent(promise.tail_quality, 2),
                percent(promise.expected_on_time, 2),
                ms_number(promise.p50_s),
                ms_number(promise.p99_s),
                f"{promise.asks:.2f}",
                f"{1000 * promise.cost:.3g}",
                plan_in_words(promise.plan, facts.names),
            )
            for tier, promise in facts.promises
        ],
        numbers=frozenset(range(1, 10)),
        prose=frozenset({10}),
    )


def _basis(facts: Facts, table: TierTable) -> Table:
    return Table(
        f"What each promise rests on (profile {table.conditions.profile}, measured "
        f"{moment(table.conditions.measured)})",
        (
            "tier",
            "within, ms",
            "limit",
            "objective",
            "slack, points",
            "samples",
            "in flight",
            "timed",
            "lost to lateness, at most",
        ),
        [
            (
                tier.name,
                ms_number(promise.deadline_s),
                _limit(tier.limit),
                _objective(tier),
                f"{100 * promise.basis.slack:.2f}",
                count(promise.basis.samples),
                str(promise.basis.load),
                count(promise.basis.timed),
                percent(promise.basis.lost_at_most, 2),
            )
            for tier, promise in facts.promises
        ],
        numbers=frozenset({1, 4, 5, 6, 7, 8}),
    )


def _options(facts: Facts) -> Table:
    return Table(
        "What the gateway decides between, by the load at the moment of a request; while nothing "
        "keeps the promise, it does what stands under “otherwise”",
        (
            "tier",
            "within, ms",
            "priority",
            "otherwise",
            "device time of 1,000, s",
            "answered by, without a deadline",
            "plan",
        ),
        [
            (
                tier.name,
                ms_number(promise.deadline_s),
                str(tier.priority),
                _OTHERWISE[tier.otherwise],
                f"{1000 * option.work_s:.3g}",
                _answered_by(option, facts),
                plan_in_words(option.plan, facts.names),
            )
            for tier, promise in facts.promises
            for option in promise.options
        ],
        numbers=frozenset({1, 2, 4}),
        prose=frozenset({5, 6}),
    )


def _answered_by(option: Option, facts: Facts) -> str:
    """Shares of the requests at which the plan stops at each of its variants."""
    stops = zip(option.plan.variants, option.stops, strict=True)
    return ", ".join(
        f"{facts.shown(variant)} {percent(stop.share, 0)}" for variant, stop in stops if stop.share
    )


def _limit(limit: Limit) -> str:
    value = f"{100 * limit.value:.3g}"
    return {
        "relative": f"{value} % worse",
        "absolute": f"{value} points worse",
        "floor": f"{value} % at least",
    }[limit.kind]


def _objective(tier: Tier) -> str:
    if tier.objective == "cost":
        return "least cost"
    return "least mean latency" if tier.percentile is None else f"least p{tier.percentile:g}"


def _refused(table: TierTable) -> Table | None:
    if not table.not_offered:
        return None
    return Table(
        "What nobody can promise",
        ("tier", "within, ms", "why"),
        [(m.name, ms_number(m.deadline_s), m.why) for m in table.not_offered],
        numbers=frozenset({1}),
        prose=frozenset({2}),
    )
