"""CPU limits: they hold for all threads and children, and end with whoever set them."""

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiler.errors import TritonGone
from profiler.sweep.cpus import Cpus, find_triton
from tailq.errors import BadRequest

# A server called tritonserver, with a thread and a child of its own, that begins another thread
# for each line it is sent.
_SERVER = """
import os, socket, subprocess, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
wait = threading.Event().wait
begin = lambda: threading.Thread(target=wait, daemon=True).start()
begin()
idle = [sys.executable, "-c", "import sys; sys.stdin.read()"]
child = subprocess.Popen(idle, stdin=subprocess.PIPE)
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    begin()
    print("begun", flush=True)
child.communicate()
"""


class Server:
    """The server's process."""

    def __init__(self, folder: Path) -> None:
        name = folder / "tritonserver"
        name.symlink_to(sys.executable)
        self.process = subprocess.Popen(
            [str(name), "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self.process.pid
        self.port = int(self._line())

    def begin_thread(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self._line()

    def cpus(self) -> list[set[int]]:
        """Of each thread, the child's included."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [
            os.sched_getaffinity(int(task.name))
            for pid in (self.pid, *children)
            for task in Path(f"/proc/{pid}/task").iterdir()
        ]

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running one."""
    started = Server(tmp_path)
    yield started
    started.process.communicate()


def test_a_limit_holds_for_all_threads_and_children_and_is_taken_back(server: Server) -> None:
    """One CPU, then two where there are, then what each thread had at first."""
    before = server.cpus()
    assert len(before) == 3
    whole = sorted(before[0])
    cpus = Cpus(server.pid, 1)
    cpus.limit(1)
    assert server.cpus() == [{whole[0]}] * 3
    cpus.limit(len(whole))
    assert server.cpus() == [set(whole)] * 3
    cpus.limit(1)
    cpus.close()
    assert server.cpus() == before


def test_threads_begun_under_a_limit_are_freed_too(server: Server) -> None:
    """They inherited it from the one that began them."""
    whole = server.cpus()[0]
    cpus = Cpus(server.pid, 1)
    cpus.limit(1)
    server.begin_thread()
    assert server.cpus() == [{min(whole)}] * 4
    cpus.close()
    assert server.cpus() == [whole] * 4


def test_a_thread_with_cpus_of_its_own_gets_those_back(server: Server) -> None:
    """What an operator pinned stays pinned."""
    whole = server.cpus()[0]
    os.sched_setaffinity(server.pid, {max(whole)})
    before = server.cpus()
    # The process's own CPUs are those of its first thread.
    cpus = Cpus(server.pid, 1)
    cpus.limit(1)
    cpus.close()
    assert server.cpus() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_cpus_are_given_back_when_the_owner_is_killed(
    server: Server, number: signal.Signals
) -> None:
    """However the measurement ends: nobody is left to ask for it."""
    before = server.cpus()
    script = (
        "import threading; from profiler.sweep.cpus import Cpus;"
        f"Cpus({server.pid}, 1).limit(1); print('limited', flush=True); threading.Event().wait()"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "limited\n"
    assert server.cpus() == [{min(before[0])}] * 3
    keeper = children_of(owner.pid)[0]
    ended = os.pidfd_open(keeper)
    owner.send_signal(number)
    owner.communicate()
    assert select.select([ended], [], [], 30.0)[0], "the keeper lives on"
    os.close(ended)
    assert server.cpus() == before


def children_of(pid: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_triton_is_found_by_its_port(server: Server) -> None:
    """A process called tritonserver that listens there."""
    assert find_triton(f"127.0.0.1:{server.port}") == server.pid
    assert find_triton(f"localhost:{server.port}") == server.pid


def test_another_program_at_the_port_is_not_taken_for_triton() -> None:
    """It might be the proxy of a container: limiting it would measure nothing."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(BadRequest, match=r"no process tritonserver.*--triton-pid"):
            find_triton(address)


def test_a_triton_elsewhere_cannot_be_limited() -> None:
    """Only its own machine can."""
    with pytest.raises(BadRequest, match=r"only on its own machine.*--triton-pid"):
        find_triton("triton.example.com:8001")


def test_other_processes_and_too_many_cpus_are_refused(server: Server) -> None:
    """Nothing is changed then."""
    with pytest.raises(BadRequest, match=f"--triton-pid {os.getpid()}: is no process tritonserver"):
        Cpus(os.getpid(), 1)
    with pytest.raises(BadRequest, match="--triton-pid 4194305: is no process"):
        Cpus(4194305, 1)  # beyond the greatest there can be
    available = len(server.cpus()[0])
    with pytest.raises(BadRequest, match=f"has {available} CPUs; give fewer"):
        Cpus(server.pid, available + 1)


def test_a_process_that_has_gone_is_told(server: Server) -> None:
    """A Triton that ends meanwhile is an error, not a limit."""
    cpus = Cpus(server.pid, 1)
    server.process.kill()
    server.process.wait()
    with pytest.raises(TritonGone, match="cannot be limited: No such process"):
        cpus.limit(1)
    cpus.close()
