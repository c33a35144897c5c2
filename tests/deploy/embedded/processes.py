"""Waits for processes to end, woken by the kernel, and finds what they leave behind."""

import os
import select
import tempfile
from pathlib import Path


def children(pid: int) -> list[int]:
    """Direct children of any thread of `pid`."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def parent(pid: int) -> int:
    """Process id of the parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[1])


class Watch:
    """Holds processes by descriptors, so that a reused process id cannot mislead."""

    def __init__(self, pids: list[int]) -> None:
        self._held = {pid: os.pidfd_open(pid) for pid in pids}

    def survivors(self, timeout_s: float) -> list[int]:
        """Those that have not ended within `timeout_s` seconds, each counted anew."""
        left = []
        for pid, descriptor in self._held.items():
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(timeout_s * 1000):
                left.append(pid)
            os.close(descriptor)
        self._held.clear()
        return left


def leftovers(owner: int) -> list[Path]:
    """Shared memory and temporary folders of instances owned by process `owner`."""
    name = f"tailq_triton_{owner}_*"
    return sorted([*Path("/dev/shm").glob(name), *Path(tempfile.gettempdir()).glob(name)])
