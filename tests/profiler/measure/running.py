"""`tailq-profile run` in a process of its own, for tests that end it before its time."""

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROUNDS = 40
# In a round two variants are asked four samples; beside two loads, an eighth under four conditions.
OBSERVATIONS = 2 * 4 * (ROUNDS * 2 + 2 * 4)
PATIENCE_S = 60.0


class Run:
    """`tailq-profile run` in a process of its own, with many more rounds than will be measured.

    largest_file: bytes; writing more fails as on a full disk, which a script cannot come by
    otherwise without being root.
    """

    def __init__(
        self, triton: str, data: Path, out: Path, largest_file: int = resource.RLIM_INFINITY
    ) -> None:
        self.out = out
        self.partial = out.with_name(f"{out.name}.partial")
        self.arguments = (
            *("run", "--triton", triton, "--dataset", str(data), "--out", str(out)),
            *("--service", "toy", "--loads", "1,2", "--samples-per-round", "4"),
            *("--min-rounds", str(ROUNDS), "--max-rounds", str(ROUNDS), "--precision", "0.0001"),
        )
        code = (
            f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({largest_file},) * 2); "
            "from profiler.cli import main; main()"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *self.arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, name: str) -> None:
        """Wait until a file of the journal is there, as the run writes it."""
        tick = threading.Event()
        for _ in range(int(PATIENCE_S / 0.002)):
            if (self.partial / name).exists():
                return
            assert self.process.poll() is None, self.process.communicate()
            tick.wait(0.002)
        pytest.fail(f"{name} did not appear in {self.partial}")

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; return the exit status and what was said on stderr."""
        os.kill(self.process.pid, number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end."""
        _, said = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said


def files(folder: Path) -> dict[str, bytes]:
    """What was kept, by name."""
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
