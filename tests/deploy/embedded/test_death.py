"""Whoever dies, and however: no process, shared memory or folder of the server survives."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import deploy
from deploy.embedded import EmbeddedTriton
from tests.deploy.embedded.processes import Watch, children, leftovers, parent

pytestmark = pytest.mark.triton

_ENDS_IN_S = 20.0
"""Generous for a loaded machine; the watch returns as soon as the process has ended."""

_OWNER = """
import sys, threading
from pathlib import Path
from deploy.embedded import EmbeddedTriton
server = EmbeddedTriton(Path(sys.argv[1]), log_dir=Path(sys.argv[2]))
server.start()
print(server.pid, flush=True)
threading.Event().wait()
"""


def _tree(server: EmbeddedTriton) -> tuple[int, int, list[int]]:
    """Process ids of the supervisor, of the server and of its stubs."""
    assert server.pid is not None
    stubs = children(server.pid)
    assert stubs
    return parent(server.pid), server.pid, stubs


def test_all_ends_when_the_owner_is_killed(repository: Path) -> None:
    """SIGKILL to the process that started the server ends server, stubs and supervisor."""
    root = Path(deploy.__file__).parents[1]
    command = [sys.executable, "-c", _OWNER, str(repository), str(repository.parent / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, text=True) as owner:
        assert owner.stdout is not None
        server = int(owner.stdout.readline())
        watch = Watch([parent(server), server, *children(server)])
        assert leftovers(owner.pid)
        owner.kill()
    assert watch.survivors(_ENDS_IN_S) == []
    assert leftovers(owner.pid) == []


def test_stubs_end_when_the_server_is_killed(repository: Path) -> None:
    """SIGKILL to tritonserver ends its stubs, and the owner sees that it is down."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    others = leftovers(os.getpid())
    server.start()
    _, pid, stubs = _tree(server)
    watch = Watch([pid, *stubs])
    os.kill(pid, signal.SIGKILL)
    assert server.wait(_ENDS_IN_S) == 128 + signal.SIGKILL
    assert watch.survivors(_ENDS_IN_S) == []
    assert leftovers(os.getpid()) == others


def test_stubs_that_hang_end_with_the_server(repository: Path) -> None:
    """A stub that can no longer see its server die (stopped here) is killed from outside."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    server.start()
    _, pid, stubs = _tree(server)
    watch = Watch(stubs)
    for stub in stubs:
        os.kill(stub, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    assert watch.survivors(_ENDS_IN_S) == []
    server.kill()


def test_the_server_ends_when_its_supervisor_is_killed(repository: Path) -> None:
    """SIGKILL to the supervisor ends server and stubs; the next start tidies up."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    server.start()
    supervisor, pid, stubs = _tree(server)
    watch = Watch([pid, *stubs])
    os.kill(supervisor, signal.SIGKILL)
    assert watch.survivors(_ENDS_IN_S) == []
    assert server.wait(_ENDS_IN_S) is not None
    assert not server.alive


def test_a_polite_stop_leaves_nothing(repository: Path) -> None:
    """After `stop` there is no process, shared memory or folder of this server."""
    server = EmbeddedTriton(repository, log_dir=repository.parent / "log")
    others = leftovers(os.getpid())
    server.start()
    supervisor, pid, stubs = _tree(server)
    watch = Watch([supervisor, pid, *stubs])
    server.stop()
    assert watch.survivors(_ENDS_IN_S) == []
    assert leftovers(os.getpid()) == others


def test_what_the_dead_left_is_removed_and_the_living_are_spared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start removes leftovers of owners that are gone, and of no others."""
    from deploy.embedded import leftovers as module

    monkeypatch.setattr(module, "_SHM", tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead = tmp_path / f"tailq_triton_{ended.pid}_ab_1"
    living = tmp_path / f"tailq_triton_{os.getpid()}_ab_1"
    foreign = tmp_path / "tailq_triton_notes"
    for path in (dead, living, foreign):
        path.touch()
    assert module.remove_leftovers_of_the_dead() == [dead]
    assert living.exists()
    assert foreign.exists()
