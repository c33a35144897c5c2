"""The promise beside the delivery: pure, from replies to a verdict on each tier."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

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
    and on time. interval: of `delivered` (exact binomial, 95 %). right: share answered right, at
    whatever moment it reached this client: by its own clock the gateway answers by the deadline or
    not at all. live: what it says it delivered meanwhile, by how it knows: "expected" without
    labels, "feedback" of clients, "probe" of samples that it sent itself; to be held against
    `right`. variants, outcomes: requests by answering variant and by outcome. p50_s, p99_s:
    latency of the answered ones, None if none was. kept: the delivery does not refute the promise
    (the interval reaches it).
    """

    promise: float
    deadline_s: float
    requests: int
    on_time: float
    delivered: float
    interval: tuple[float, float]
    right: float
    variants: dict[str, int]
    outcomes: dict[str, int]
    p50_s: float | None
    p99_s: float | None
    kept: bool
    live: dict[str, float] = {}


class Report(BaseModel):
    """Verdict on every offered tier; `kept` if all of them were.

    feedback: labels that were told to the gateway, by what became of them.
    """

    service: str
    profile: str
    confidence: float
    duration_s: float
    errors: dict[str, int]
    tiers: dict[str, Delivered]
    kept: bool
    feedback: dict[str, int] = {}


def judge(
    table: TierTable,
    replies: Sequence[Reply],
    duration_s: float,
    live: Mapping[str, Mapping[str, float]] | None = None,
    feedback: Mapping[str, int] | None = None,
) -> Report:
    """Hold the replies against the table's promises. A tier that got no requests is not kept.

    live: as in Delivered, by tier. feedback: as in Report.
    """
    tiers = {
        tier.name: _delivered(
            tier,
            [reply for reply in replies if reply.tier == tier.name],
            dict((live or {}).get(tier.name, {})),
        )
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
        feedback=dict(feedback or {}),
    )


def _delivered(tier: Tier, replies: Sequence[Reply], live: dict[str, float]) -> Delivered:
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
        right=sum(r.correct for r in replies) / n if n else 0.0,
        variants=dict(Counter(reply.variant for reply in replies if reply.variant).most_common()),
        outcomes=dict(Counter(reply.outcome for reply in replies).most_common()),
        p50_s=p50,
        p99_s=p99,
        kept=n > 0 and interval[1] >= promise.quality,
        live=live,
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
    live = any("expected" in tier.live for tier in report.tiers.values())
    caption = f"Delivered: right and in time, with its {CONFIDENCE:.0%} interval. All promises "
    caption += f"hold together with {report.confidence:.0%} confidence."
    if live:
        caption += " Live: the gateway's own estimate of it, without a label."
    table = Table(
        title=f"{report.service}: promised and delivered, {sent} requests of unseen samples",
        caption=caption,
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=0,
    )
    table.add_column("tier", no_wrap=True)
    headings = ["within\nms", "promised\n%", "delivered\n%", "in\ntime\n%", "p50/p99\nms"]
    if live:
        headings.insert(3, "live\n%")
    for heading in headings:
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
            *([_percent(tier.live.get("expected"))] if live else []),
            f"{100 * tier.on_time:.1f}",
            f"{_about(tier.p50_s)}/{_about(tier.p99_s)}",
            _most(tier.variants, f"{report.service}_"),
            "[green]kept[/]" if tier.kept else "[red bold]BROKEN[/]",
        )
    return table


def _most(variants: Iterable[str], prefix: str) -> str:
    """The first ones, which answered most; all of them are in the report."""
    names = [variant.removeprefix(prefix) for variant in variants]
    return ", ".join([*names[:_SHOWN], "…"] if len(names) > _SHOWN else names) or "none"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g}"


def _about(seconds: float | None) -> str:
    """In milliseconds, two digits of what is below 100."""
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.{0 if seconds >= 0.00995 else 1}f}"
