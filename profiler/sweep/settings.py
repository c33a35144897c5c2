"""What `tailq-profile sweep` is asked to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from profiler.tasks import Task, open_task


@dataclass(frozen=True)
class Settings:
    """What to sweep. Times in seconds.

    factors: the levels of each, as profiler.sweep.factors.parse gives them. rounds: over all cells;
    fewer if the budget ends before, but never fewer than can be attributed. triton_pid: of a
    Triton on this machine; None: it is looked for where it is needed. most_cells: where all
    combinations are more, a balanced fraction of them is measured. force: replace a sweep at `out`.
    restart: discard what an interrupted one left.
    """

    triton: str
    out: Path
    factors: Mapping[str, tuple[str, ...]]
    task: Task = field(default_factory=lambda: open_task("classification"))
    deadlines_s: tuple[float, ...] = (0.025, 0.05, 0.1)
    rounds: int = 8
    requests_per_round: int = 32
    budget_s: float | None = None
    timeout_s: float = 10.0
    triton_pid: int | None = None
    most_cells: int = 64
    seed: int = 0
    force: bool = False
    restart: bool = False

    @property
    def partial(self) -> Path:
        """Where the measurement is kept until it is finished."""
        return self.out.with_name(f"{self.out.name}.partial")
