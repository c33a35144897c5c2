"""The promise beside the delivery: pure, from replies to a verdict on each tier."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel
from rich import box
from rich.table import Table

from loadtest.openloop import Reply
from tailq.guarantee import binomial_lower, binomial_upper
from tailq.quality import Floats, quality_at
from tailq.tier import Tier, TierTable

# Two-sided confidence of the interval around the delivered quality.
CONFIDENCE = 0.95
_SHOWN = 3  # variants of a tier, in the table


class Delivered(BaseModel):
    """What the clients of one tier got.

    promise: the tier's promised quality at its deadline. requests: sent. on_time: share answered
    by the deadline, counted from the appointed time of sending. delivered: share answered right
    and on time. interval: of `delivered` (exact binomial, 95 %). variants, outcomes: requests by
    answering variant and by outcome. p50_s, p99_s: latency of the answered ones, None if none
    was. kept: the delivery does not refute the promise (the interval reaches it).
    """

    promise: float
    deadline_s: float
    requests: int
    on_time: float
    delivered: float
    interval: tuple[float, float]
    variants: dict[str, int]
    outcomes: dict[str, int]
    p50_s: float | None
    p99_s: float | None
    kept: bool


class Report(BaseModel):
    """Verdict on every offered tier; `kept` if all of them were."""

    service: str
    profile: str
    confidence: float
    duration_s: float
    errors: dict[str, int]
    tiers: dict[str, Delivered]
    kept: bool


def judge(table: TierTable, replies: Sequence[Reply], duration_s: float) -> Report:
    """Hold the replies against the table's promises. A tier that got no requests is not kept."""
    tiers = {
        tier.name: _delivered(tier, [reply for reply in replies if reply.tier == tier.name])
        for tier in table.tiers
    }
    errors = Counter(reply.error for reply in replies if reply.error is not None)
    return Report(
        service=table.service,
        profile=table.conditions.profile,
        confidence=table.confidence,
        duration_s=duration_s,
        errors=dict(errors.most_common(10)),
        tiers=tiers,
        kept=bool(tiers) and all(tier.kept for tier in tiers.values()),
    )


def _delivered(tier: Tier, replies: Sequence[Reply]) -> Delivered:
    promise = tier.promises[-1]
    n = len(replies)
    latency = np.array([np.inf if r.error is not None else r.latency_s for r in replies])
    on_time = _quality(np.ones(n), latency, promise.deadline_s)
    delivered = _quality(np.array([r.correct for r in replies]), latency, promise.deadline_s)
    interval = _interval(round(delivered * n), n)
    answered = latency[np.isfinite(latency)]
    p50, p99 = (
        (float(q) for q in np.quantile(answered, [0.5, 0.99])) if answered.size else (None, None)
    )
    return Delivered(
        promise=promise.quality,
        deadline_s=promise.deadline_s,
        requests=n,
        on_time=on_time,
        delivered=delivered,
        interval=interval,
        variants=dict(Counter(reply.variant for reply in replies if reply.variant).most_common()),
        outcomes=dict(Counter(reply.outcome for reply in replies).most_common()),
        p50_s=p50,
        p99_s=p99,
        kept=n > 0 and interval[1] >= promise.quality,
    )


def _quality(correct: ArrayLike, latency_s: Floats, deadline_s: float) -> float:
    """Quality at the deadline; 0 where nothing was sent."""
    return float(quality_at(correct, latency_s, [deadline_s])[0]) if latency_s.size else 0.0


def _interval(right: int, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 1.0
    side = (1 - CONFIDENCE) / 2
    return binomial_lower(right, n, side), binomial_upper(right, n, side)


def as_table(report: Report) -> Table:
    """The report for a terminal of 80 columns: a row a tier, promise beside delivery."""
    sent = sum(tier.requests for tier in report.tiers.values())
    table = Table(
        title=f"{report.service}: promised and delivered, {sent} requests of unseen samples",
        caption=f"Delivered: right and in time, with its {CONFIDENCE:.0%} interval. All promises "
        f"hold together with {report.confidence:.0%} confidence.",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
    )
    table.add_column("tier", no_wrap=True)
    for heading in ("within\nms", "promised\n%", "delivered\n%", "in time\n%", "p50/p99\nms"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("variant")  # the one that gives way where the terminal is narrow
    table.add_column("", no_wrap=True)
    for name, tier in report.tiers.items():
        low, high = tier.interval
        table.add_row(
            name,
            _ms(tier.deadline_s),
            f"{100 * tier.promise:.1f}",
            f"{100 * tier.delivered:.1f} ({100 * low:.1f}–{100 * high:.1f})",
            f"{100 * tier.on_time:.1f}",
            f"{_ms(tier.p50_s)}/{_ms(tier.p99_s)}",
            _most(tier.variants, f"{report.service}_"),
            "[green]kept[/]" if tier.kept else "[red bold]BROKEN[/]",
        )
    return table


def _most(variants: Iterable[str], prefix: str) -> str:
    """The first ones, which answered most; all of them are in the report."""
    names = [variant.removeprefix(prefix) for variant in variants]
    return ", ".join([*names[:_SHOWN], "…"] if len(names) > _SHOWN else names) or "none"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.3g}"
