"""What `tailq-profile run` is asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from profiler.measure.enough import Limits


@dataclass(frozen=True)
class Settings:
    """What to measure. Times in seconds.

    models: names on Triton; empty: all ready ones called "<service>_…". loads: requests in flight.
    force: replace a profile at `out`. restart: discard what an interrupted run left.
    """

    triton: str
    service: str
    out: Path
    models: tuple[str, ...] = ()
    loads: tuple[int, ...] = (1, 2, 4)
    deadlines_s: tuple[float, ...] = (0.025, 0.05, 0.1)
    samples_per_round: int = 32
    limits: Limits = field(default_factory=Limits)
    timeout_s: float = 10.0
    seed: int = 0
    force: bool = False
    restart: bool = False

    @property
    def partial(self) -> Path:
        """Where the measurement is kept until it is finished."""
        return self.out.with_name(f"{self.out.name}.partial")
