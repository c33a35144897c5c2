"""The gateway as a process of its own, as an operator starts it."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from tailq import artefact
from tailq.tier import TierTable


class GatewayProcess:
    """`python -m gateway.cli` on a free port; a context manager that stops it politely."""

    def __init__(self, folder: Path, tiers: TierTable, triton: str, *options: str) -> None:
        path = folder / "tiers.json"
        artefact.write(path, tiers)
        self._log = folder / "gateway.log"
        self._command = [sys.executable, "-m", "gateway.cli", "--json", "--port=0"]
        self._command += [f"--tiers={path}", f"--triton={triton}", *options]
        self.port = 0

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log
        self.port = int(json.loads(line)["url"].rpartition(":")[2])
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdout is not None
        try:
            assert self.stop() == 0, self.log
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    @property
    def address(self) -> str:
        """HOST:PORT it listens at."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has said on standard error."""
        return self._log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(30)
