"""What `tailq-profile run` is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from profiler.measure.enough import PRECISION, Limits, Rule
from profiler.tasks import Task, open_task


@dataclass(frozen=True)
class Settings:
    """What to measure. Times in seconds.

    models: names on Triton; empty: all ready ones called "<service>_…". loads: requests in flight.
    open_loop: shares of the throughput reached with them, at which requests also arrive unasked.
    task: what the models are for, and by which metric they are judged.
    rule, precision: when it is enough, within the limits (see profiler.measure.enough).
    force: replace a profile at `out`. restart: discard what an interrupted run left.
    """

    triton: str
    service: str
    out: Path
    task: Task = field(default_factory=lambda: open_task("classification"))
    models: tuple[str, ...] = ()
    loads: tuple[int, ...] = (1, 2, 4)
    open_loop: tuple[float, ...] = (0.5, 0.8)
    deadlines_s: tuple[float, ...] = (0.025, 0.05, 0.1)
    samples_per_round: int = 32
    limits: Limits = field(default_factory=Limits)
    rule: Rule = "precise"
    precision: float = PRECISION
    timeout_s: float = 10.0
    seed: int = 0
    force: bool = False
    restart: bool = False

    @property
    def partial(self) -> Path:
        """Where the measurement is kept until it is finished."""
        return self.out.with_name(f"{self.out.name}.partial")
