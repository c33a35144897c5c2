"""`tailq-profile tiers`: from a profile and a spec on disk to a tier table, and how it looks."""

from datetime import UTC, datetime
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from profiler.record.evidence import evidence_of
from profiler.record.judging import judge_for
from profiler.record.observations import open_profile
from profiler.tiers import spec as specs
from profiler.tiers.compile import Compiled, Gain, compile_tiers
from tailq.tier import Promise


def compile_profile(profile: Path, spec: Path) -> Compiled:
    """Compile the tiers of the spec file from the profile folder. Raises TailqError."""
    wanted = specs.read(spec)
    opened = open_profile(profile)
    evidence = evidence_of(opened.answers, opened.observations)
    return compile_tiers(wanted, opened.profile, evidence, datetime.now(UTC), judge_for(opened))


def show(compiled: Compiled, console: Console) -> None:
    """Print what is promised, a row a tier and deadline, and what is not offered, with reasons."""
    table = compiled.table
    console.print(_promises(compiled))
    if table.default is None:
        console.print("no default: requests that name no tier are refused")
    for missing in table.not_offered:
        within = f"{missing.name} within {missing.deadline_s * 1000:g} ms"
        console.print(f"[yellow]not offered[/]: [bold]{within}[/]: {missing.why}", highlight=False)
    for plans in compiled.left_out:
        console.print(f"careful: {plans}", highlight=False, markup=False, soft_wrap=True)


def _promises(compiled: Compiled) -> Table:
    table, reference = compiled.table, compiled.table.reference
    sure = f"promises that hold together with {table.confidence:.0%} confidence"
    if table.method == "bootstrap":
        sure = "promises by bootstrap, which keeps no stated confidence"
    grid = Table(
        title=f"{table.service}: {sure}, up to {table.conditions.max_outstanding} in flight",
        caption=f"best without a deadline: {reference.variant}, {table.metric} "
        f"{reference.quality:.2%}; gain: in the objective, on the best single variant; +1: one "
        "other plan keeps the promise, too, for when the load rises",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    grid.add_column("tier")
    columns = ("tolerance\n%", "within\nms", "promised\n%", "expected\n%", "p50/p99\nms", "gain\n%")
    for heading in columns:
        grid.add_column(heading, justify="right", no_wrap=True)
    grid.add_column("plan")
    for tier in table.tiers:
        for promise in tier.promises:
            grid.add_row(
                tier.name,
                f"{100 * tier.tolerance:.3g}",
                f"{promise.deadline_s * 1000:g}",
                f"{100 * promise.quality:.2f}",
                f"{100 * promise.expected_quality:.2f}",
                f"{promise.p50_s * 1000:.3g}/{promise.p99_s * 1000:.3g}",
                _gain(compiled.gains[tier.name, promise.deadline_s]),
                _plans(promise).replace(f"{table.service}_", ""),
            )
    return grid


def _plans(promise: Promise) -> str:
    """The promised plan, and how many others there are."""
    others = len(promise.options) - 1
    return f"{promise.plan} +{others}" if others > 0 else str(promise.plan)


def _gain(gain: Gain) -> str:
    """In per cent of the best single variant's objective; a dash where none keeps the limit."""
    return "–" if gain.single is None else f"{100 * (1 - gain.chosen / gain.single):.0f}"
