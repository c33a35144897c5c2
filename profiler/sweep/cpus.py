"""Limiting the CPUs of a Triton on this machine: the affinity of all its threads and children."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from profiler.errors import TritonGone
from tailq.errors import BadRequest

_KEEPER = Path(__file__).with_name("keeper.py")
_PROC = Path("/proc")
_SERVER = "tritonserver"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_LISTENING = "0A"
_GIVE_PID = "give the process id of its tritonserver with --triton-pid"


class Cpus:
    """The CPUs of one process; close it, and it has back what it had."""

    def __init__(self, pid: int, most: int) -> None:
        """Take care of process `pid`. most: the greatest limit there will be.

        Raises BadRequest where this process may not limit it, or it does not have as many CPUs.
        """
        if _name(_PROC / str(pid)) != _SERVER:
            raise BadRequest(f"--triton-pid {pid}: is no process {_SERVER}")
        available = len(os.sched_getaffinity(pid))
        if most > available:
            raise BadRequest(
                f"--factor cpus={most}: the Triton of process {pid} has {available} CPUs; "
                "give fewer"
            )
        self._pid = pid
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_KEEPER), str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            start_new_session=True,  # a Ctrl-C in the terminal is for its owner to handle
        )
        said = self._ask(available)
        if said != "ok":
            self.close()
            raise BadRequest(
                f"the CPUs of process {pid} cannot be limited ({said}); run tailq-profile as the "
                "user that runs Triton, or leave the factor cpus out"
            )

    def limit(self, count: int) -> None:
        """From now on all its threads run on its first `count` CPUs. Raises TritonGone."""
        said = self._ask(count)
        if said != "ok":
            raise TritonGone(f"the CPUs of Triton's process {self._pid} cannot be limited: {said}")

    def close(self) -> None:
        """Give back the CPUs, and wait until it is done."""
        self._keeper.communicate()

    def _ask(self, count: int) -> str:
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        try:
            self._keeper.stdin.write(f"{count}\n")
            return self._keeper.stdout.readline().strip() or "its keeper has ended"
        except BrokenPipeError:
            return "its keeper has ended"


def find_triton(address: str) -> int:
    """The process id of the Triton that listens at `address` ("HOST:PORT") on this machine.

    Raises BadRequest with the remedy if there is none that can be seen.
    """
    host, _, port = address.rpartition(":")
    if host not in _LOOPBACK or not port.isdigit():
        raise BadRequest(
            f"the CPUs of Triton can be limited only on its own machine; if {address} is this one, "
            f"{_GIVE_PID}, else leave the factor cpus out"
        )
    sockets = {f"socket:[{inode}]" for inode in _listening(int(port))}
    for folder in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # others' processes, and those that have just ended
            if _name(folder) == _SERVER and any(
                link.is_symlink() and str(link.readlink()) in sockets
                for link in folder.joinpath("fd").iterdir()
            ):
                return int(folder.name)
    raise BadRequest(
        f"no process {_SERVER} of this user listens at {address}; if it runs in a container on "
        f"this machine, {_GIVE_PID}"
    )


def _name(process: Path) -> str:
    """Name of a process by its folder in /proc; empty if there is none."""
    try:
        return process.joinpath("comm").read_text().strip()
    except OSError:
        return ""


def _listening(port: int) -> Iterator[str]:
    """Inodes of the sockets that listen on a port."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in _PROC.joinpath("net", table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == _LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                    yield columns[9]
