"""The gateway as a process of its own, as an operator starts it."""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Self
from urllib.request import urlopen

from tailq import artefact
from tailq.tier import TierTable


class GatewayProcess:
    """`python -m gateway.cli` on a free port; a context manager that stops it politely.

    triton: None: the settings that `options` name say where it is.
    """

    def __init__(self, folder: Path, tiers: TierTable, triton: str | None, *options: str) -> None:
        self.tiers = folder / "tiers.json"
        artefact.write(self.tiers, tiers)
        self._log = folder / "gateway.log"
        self._command = [sys.executable, "-m", "gateway.cli", "--json", "--port=0"]
        self._command += [] if triton is None else [f"--triton={triton}"]
        self._command += [f"--tiers={self.tiers}", *options]
        self._status = 0
        self.url = ""
        self.port = 0
        self.grpc = ""
        self.admin = ""

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.log
        ready = json.loads(line)
        self.url = ready["url"]
        self.port = int(self.url.rpartition(":")[2])
        self.grpc, self.admin = ready["grpc"], ready["admin"]
        return self

    def __exit__(self, *_: object) -> None:
        try:
            assert self.stop() == self._status, self.log
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()

    def wait(self) -> int:
        """Its exit status, once it has ended by itself or as told before."""
        return self._process.wait(30)

    def ends_with(self, status: int) -> None:
        """It is expected to end with this status; otherwise 0."""
        self._status = status

    @property
    def address(self) -> str:
        """HOST:PORT it listens at."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has said on standard error."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """Of the process that was started, the supervisor where there is one."""
        return self._process.pid

    def metrics(self) -> dict[str, float]:
        """What a scrape shows now, by sample as it is written: name{label="value",...}."""
        with urlopen(f"{self.admin}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {sample: float(value) for sample, value in pairs}

    def outcomes(self) -> dict[str, int]:
        """How many requests ended in which way."""
        counts: Counter[str] = Counter()
        for sample, value in self.metrics().items():
            found = re.match(r'tailq_requests_total\{.*outcome="(\w+)"', sample)
            if found and value:
                counts[found[1]] += int(value)
        return dict(counts)

    def state(self) -> Any:
        """What /v1/state says now."""
        with urlopen(f"{self.admin}/v1/state", timeout=20) as answer:
            return json.load(answer)

    def live(self) -> Any:
        """What /v1/live says now."""
        with urlopen(f"{self.admin}/v1/live", timeout=20) as answer:
            return json.load(answer)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(30)
