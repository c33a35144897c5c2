"""All of the view: the service, its tiers, its variants, its troubles."""

from typing import Final

from gateway.live import names
from gateway.live.families import Families, key
from gateway.live.glance import correction, numbers, spans, variants, verdicts
from gateway.live.glance.numbers import Numbers
from gateway.live.glance.spans import Spans
from gateway.live.glance.troubles import Seen, troubles
from gateway.live.history import POINT, STEP_S, STEPS, History
from gateway.live.view import LiveView, TierView
from tailq.tier import ROUND_LEVELS, Tier, TierTable

_WINDOW: Final = 60  # steps


def glance(families: Families, history: History, table: TierTable, now: float) -> LiveView:
    """families: of all processes, as of now. history: of their counters. now: Unix time."""
    told, counts = numbers.of(families), numbers.lately(families)
    recent = Numbers(history.added(counts, _WINDOW))
    longer = Numbers(history.added(counts, STEPS))
    conditions = table.conditions
    return LiveView(
        service=table.service,
        metric=table.metric,
        confidence=table.confidence,
        profile=conditions.profile,
        measured=conditions.measured.timestamp(),
        now=now,
        window_s=_WINDOW * STEP_S,
        step_s=STEP_S,
        point_s=POINT * STEP_S,
        tiers=_tiers(told, recent, history, table),
        variants=variants.views(told, recent, table),
        endpoints={
            name: bool(up) for (name,), up in told.by(names.UPSTREAM_UP, "endpoint").items()
        },
        troubles=troubles(Seen(table, told, recent, longer, now)),
    )


def _tiers(told: Numbers, recent: Numbers, history: History, table: TierTable) -> list[TierView]:
    since_start, window = Spans(told), Spans(recent)
    evidence = told.by(names.EVIDENCE, "tier", "source")
    lower = told.by(names.LOWER, "tier", "source")
    upper = told.by(names.UPPER, "tier", "source")
    found = []
    for tier in table.tiers:
        promise = tier.promises[-1]
        of_tier = {source: value for (name, source), value in evidence.items() if name == tier.name}
        lately = window.of(tier.name)
        verdict, told_by = verdicts.verdict(of_tier, lately)
        found.append(
            TierView(
                name=tier.name,
                deadline_s=promise.deadline_s,
                promise=promise.quality,
                profiled=promise.expected_quality,
                profiled_tail_5=_profiled_tail_5(tier),
                verdict=verdict,
                told_by=told_by,
                since_start=since_start.of(tier.name),
                window=lately,
                evidence=of_tier,
                interval={
                    source: (lower[tier.name, source], upper[tier.name, source])
                    for source in of_tier
                },
                history=_delivered(history, table.service, tier.name),
                corrections=correction.corrections(told, tier.name),
            )
        )
    return found


def _profiled_tail_5(tier: Tier) -> float:
    """Of rounds like the live ones, where it was foretold; else of the profile's own rounds."""
    promise = tier.promises[-1]
    if promise.rounds is None:
        return promise.tail_quality
    return promise.rounds.quality[ROUND_LEVELS.index(0.05)]


def _delivered(history: History, service: str, tier: str) -> list[float | None]:
    keys = [key(spec, (tier, "expected"), service) for spec in (names.DELIVERED, names.JUDGED)]
    line = [spans.share(*point) for point in history.line(keys, STEPS, POINT)]
    return [*[None] * (STEPS - len(line)), *line]
