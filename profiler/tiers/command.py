"""`tailq-profile tiers`: from a profile and a spec on disk to a tier table, and how it looks."""

from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from profiler.record.observations import open_profile
from profiler.tiers import spec as specs
from profiler.tiers.compile import compile_tiers
from profiler.tiers.evidence import evidence_of
from tailq.tier import TierTable


def compile_profile(profile: Path, spec: Path) -> TierTable:
    """Compile the tiers of the spec file from the profile folder. Raises ArtefactError."""
    wanted = specs.read(spec)
    opened = open_profile(profile)
    return compile_tiers(wanted, opened.profile, evidence_of(opened), datetime.now(UTC))


def show(table: TierTable, console: Console) -> None:
    """Print what is promised, a row a tier and deadline, and what is not offered, with reasons."""
    console.print(_promises(table))
    if table.default is None:
        console.print("no default: requests that name no tier are refused")
    for missing in table.not_offered:
        within = f"{missing.name} within {missing.deadline_s * 1000:g} ms"
        console.print(f"[yellow]not offered[/]: [bold]{within}[/]: {missing.why}", highlight=False)


def _promises(table: TierTable) -> Table:
    reference = table.reference
    grid = Table(
        title=f"{table.service}: promises that hold together with {table.confidence:.0%} "
        f"confidence, up to {table.conditions.max_outstanding} in flight",
        caption=f"best without a deadline: {reference.variant}, {reference.quality:.2%} right",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    grid.add_column("tier")
    columns = ("tolerance\n%", "within\nms", "promised\n%", "expected\n%", "p50/p99\nms")
    for heading in columns:
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_column("variant", no_wrap=True)
    for tier in table.tiers:
        for promise in tier.promises:
            grid.add_row(
                tier.name,
                f"{100 * tier.tolerance:g}",
                f"{promise.deadline_s * 1000:g}",
                f"{100 * promise.quality:.2f}",
                f"{100 * promise.expected_quality:.2f}",
                f"{promise.p50_s * 1000:.3g}/{promise.p99_s * 1000:.3g}",
                promise.plan.variant,
            )
    return grid
