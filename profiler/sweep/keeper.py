"""Limits the CPUs of a process and all its children, and gives them back when its owner is gone.

Run by file name with the standard library only; see `profiler.sweep.cpus` for the caller. A
process of its own, so that the CPUs are given back however the measurement ends, SIGKILL too.

Argument: PID. Standard input: a number of CPUs a line. Standard output: a line for each, "ok" or
why not. At the end of the input every thread gets the CPUs back that it had; threads that were
begun meanwhile get those of the process.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Set
from pathlib import Path

_PROC = Path("/proc")


def main(pid: int) -> None:
    """Serve until the end of the input."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    whole = os.sched_getaffinity(pid)
    before: dict[int, Set[int]] = {}
    try:
        for line in sys.stdin:
            try:
                _limit(pid, set(sorted(whole)[: int(line)]), before)
                print("ok", flush=True)
            except OSError as error:
                print(error.strerror, flush=True)
    finally:
        with contextlib.suppress(OSError):
            _restore(pid, whole, before)


def _limit(pid: int, cpus: Set[int], before: dict[int, Set[int]]) -> None:
    os.kill(pid, 0)  # raises if it is gone; threads that come and go are no error
    _set(pid, lambda _: cpus, before)


def _restore(pid: int, whole: Set[int], before: dict[int, Set[int]]) -> None:
    if before:
        _set(pid, lambda thread: before.get(thread, whole), {})


def _set(pid: int, wanted: Callable[[int], Set[int]], before: dict[int, Set[int]]) -> None:
    """Give every thread the CPUs wanted for it; note in `before` which each had at first."""
    changed = True
    while changed:  # a thread that was begun meanwhile has the CPUs of the one that began it
        changed = False
        for thread in _threads(pid):
            with contextlib.suppress(ProcessLookupError):
                had = os.sched_getaffinity(thread)
                before.setdefault(thread, had)
                if had != wanted(thread):
                    os.sched_setaffinity(thread, wanted(thread))
                    changed = True


def _threads(pid: int) -> Iterator[int]:
    """All threads of a process and of its children, theirs included."""
    for task in _PROC.joinpath(str(pid), "task").glob("[0-9]*"):
        yield int(task.name)
        with contextlib.suppress(OSError):
            for child in task.joinpath("children").read_text().split():
                yield from _threads(int(child))


if __name__ == "__main__":
    main(int(sys.argv[1]))
