"""The gateway as a process of its own, and what the processor spends on it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.table import table
from tailq import artefact


@dataclass(frozen=True)
class Serving:
    """A running gateway. rest, grpc: HOST:PORT."""

    rest: str
    grpc: str
    pid: int

    def cpu_s(self) -> float:
        """Processor seconds it has taken so far, user and system, all threads."""
        # Behind the command's name, which may hold anything, in parentheses: fields 14 and 15.
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def gateway(triton_http: str, folder: Path, module: str = "gateway.cli") -> Iterator[Serving]:
    """A gateway with all its features on, as an operator starts it.

    module: that is run instead, where it is another one.
    """
    tiers = folder / "tiers.json"
    artefact.write(tiers, table())
    command = [sys.executable, "-m", module, "--json", "--tiers", str(tiers)]
    command += ["--triton", triton_http, "--port", "0", "--grpc-port", "0", "--admin-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())
        yield Serving(ready["url"].removeprefix("http://"), ready["grpc"], ready["pid"])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()
