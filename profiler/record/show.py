"""A profile as people read it, and as programs do."""

import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from tailq.profile import Profile, VariantProfile

_FEW_ROUNDS = 20
_STOPPED = {
    "converged": "convergence",
    "precise": "the asked precision",
    "budget": "the budget",
    "interrupted": "an interruption",
}
# Columns of a terminal that hold the table with several loads.
_WIDE = 120


def show(profile: Profile, console: Console) -> None:
    """Print a profile: a heading, a table with a row a variant, and what to be careful about."""
    heading = (
        f"profile {profile.id} of service {profile.service}: {profile.dataset.name}, "
        f"{profile.dataset.samples} samples, on {profile.server.name} {profile.server.version}"
    )
    # On a narrow terminal the highest load says most; a file has room for all of them.
    narrow = console.is_terminal and console.width < _WIDE
    table = (
        _table(profile, profile.loads[-1:], between="\n")
        if narrow
        else _table(profile, profile.loads, between=" ")
    )
    console.print(heading, highlight=False, markup=False, soft_wrap=True)
    console.print(table)
    for note in _notes(profile):
        console.print(note, highlight=False, markup=False, soft_wrap=True)


def as_json(profile: Profile) -> str:
    """The summary as JSON, the content of profile.json."""
    return json.dumps(profile.model_dump(mode="json"), indent=2)


def _table(profile: Profile, loads: Sequence[int], between: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("variant", no_wrap=True)
    table.add_column("quality\n%", justify="right", no_wrap=True)
    for load in loads:
        table.add_column(f"load {load}\np50/p99 ms", justify="right", no_wrap=True)
    for at in profile.variants[0].loads[-1].at_deadlines:
        header = f"in {at.deadline_s * 1000:g} ms\n%{between}(tail)"
        table.add_column(header, justify="right", no_wrap=True)
    for variant in sorted(profile.variants, key=lambda v: v.quality):
        table.add_row(*_row(variant, loads, between))
    return table


def _row(variant: VariantProfile, loads: Sequence[int], between: str) -> list[str]:
    latencies = [
        f"{at.p50_s * 1000:.1f}/{at.p99_s * 1000:.1f}" for at in variant.loads if at.load in loads
    ]
    # At the worst load: which one that is may differ from deadline to deadline.
    worst = [
        min(at_loads, key=lambda at: at.quality)
        for at_loads in zip(*(load.at_deadlines for load in variant.loads), strict=True)
    ]
    qualities = [f"{100 * at.quality:.1f}{between}({100 * at.tail_5:.1f})" for at in worst]
    return [variant.name, f"{100 * variant.quality:.1f}", *latencies, *qualities]


def _notes(profile: Profile) -> list[str]:
    rounds = min(at.rounds for variant in profile.variants for at in variant.loads)
    timed = sum(at.requests for variant in profile.variants for at in variant.loads)
    last = profile.convergence[-1]
    rjsd = "" if last.rjsd is None else f", rJSD {last.rjsd:.3f}"
    width = "" if last.half_width is None else f", 5 % tail known to ±{100 * last.half_width:.2f} %"
    first = f"in {profile.variants[0].loads[0].at_deadlines[0].deadline_s * 1000:g} ms"
    notes = [
        f"{first}: share of samples answered right and in time, at the worst load; tail: what "
        "95 % of rounds reach",
        f"{timed} timed requests, {rounds} rounds a load; stopped by "
        f"{_STOPPED[profile.stopped_by]}{rjsd}{width}",
    ]
    if profile.stopped_by == "interrupted":
        notes.append(
            "careful: partial: this is what is measured so far; the command that began it goes on "
            "with it"
        )
    if rounds < _FEW_ROUNDS:
        notes.append(
            f"careful: with {rounds} rounds the 5 % tail is no more than the worst round; "
            "a larger budget gives more"
        )
    failed = {
        variant.name: sum(at.failed for at in variant.loads)
        for variant in profile.variants
        if any(at.failed for at in variant.loads)
    }
    if failed:
        said = ", ".join(f"{name} {count}" for name, count in failed.items())
        notes.append(f"careful: requests without an answer, counted as late: {said}")
    return notes
