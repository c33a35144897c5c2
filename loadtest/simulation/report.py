"""What a simulation is reported as."""

from pydantic import BaseModel
from rich.table import Table

from loadtest import report
from loadtest.simulation.run import Played, Setting


class Simulated(BaseModel):
    """A simulated run: nothing in it depends on anything but the setting.

    seed, minutes, rates, endpoints, faults: the setting. tiers: what was promised and delivered.
    outcomes: of all requests, clients that left included. calls: upstream, by variant.
    longest_overrun_s: by how much a request was answered after its deadline at the most.
    violations: what must never be; empty if the gateway behaved.
    """

    seed: int
    minutes: float
    rates: dict[str, float]
    endpoints: int
    faults: tuple[str, ...]
    tiers: report.Report
    outcomes: dict[str, int]
    calls: dict[str, int]
    longest_overrun_s: float
    violations: tuple[str, ...]


def of(setting: Setting, played: Played, faults: tuple[str, ...]) -> Simulated:
    """Report on a run. faults: as the user described them."""
    return Simulated(
        seed=setting.seed,
        minutes=setting.seconds / 60,
        rates=dict(setting.rates),
        endpoints=setting.endpoints,
        faults=faults,
        tiers=report.judge(setting.table, played.replies, setting.seconds),
        outcomes=dict(sorted(played.outcomes.items())),
        calls=dict(sorted(played.calls.items())),
        longest_overrun_s=max(0.0, played.overrun_s),
        violations=tuple(played.violations()),
    )


def as_table(simulated: Simulated, *, answers_known: bool) -> Table:
    """For a terminal: a row a tier, promise beside delivery."""
    table = report.as_table(simulated.tiers)
    what = "samples of the profile" if answers_known else "answers that all count as right"
    table.title = (
        f"{simulated.tiers.service}: {simulated.minutes:g} simulated minutes, seed "
        f"{simulated.seed}, {sum(simulated.outcomes.values())} requests, {what}"
    )
    return table
