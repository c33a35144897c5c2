"""Progress where there is no terminal."""

import io
import time

import pytest
from rich.console import Console

from profiler.measure.progress import Reporter


def test_lines_are_printed_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phase is announced, then a line tells note, time gone and time left, every ten seconds."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    written = io.StringIO()
    with Reporter(Console(file=written, width=100)) as report:
        report.phase("Latency")
        for _ in range(25):
            clock[0] += 1.0
            report.step("3 rounds", 75.0)
        assert report.left_at(5, 10) == 50.0
        assert report.left_at(0, 10) is None
    assert written.getvalue().splitlines() == [
        "Latency …",
        "Latency: 3 rounds, 0:10 gone, 1:15 left",
        "Latency: 3 rounds, 0:20 gone, 1:15 left",
    ]
