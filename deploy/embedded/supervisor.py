"""Keeps watch over one tritonserver, as a small process between it and its owner.

Run by file name with the standard library only; see `deploy.embedded.process` for the caller.

Why a process of its own: `PR_SET_PDEATHSIG` fires when the parent *thread* ends, so a server
started from a short-lived worker thread would be killed while its owner lives on. This
process has one thread. It ends the server when its owner is gone (however the owner died),
the server is ended by the kernel when this process is gone, and whatever way the server ended,
its Python stubs, its shared memory and its working folder are removed here.

Arguments: OWNER_PID GRACE_SECONDS SHM_PREFIX WORKDIR COMMAND...
Standard output: one line, the server's process id. SIGTERM and SIGINT: stop politely, by force
after GRACE_SECONDS. SIGUSR1: kill at once. Exit status: the server's; 128 + N after signal N.
"""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

_SHM = Path("/dev/shm")  # noqa: S108 - the kernel's fixed place
_PR_SET_PDEATHSIG = 1
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD}
_OWNER_CHECK_S = 0.25


def main(arguments: list[str]) -> int:
    """Start the server, watch it until it has ended, tidy up. Returns the exit status."""
    owner, grace_s = int(arguments[0]), float(arguments[1])
    shm_prefix, workdir, command = arguments[2], arguments[3], arguments[4:]
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),  # the log; standard output belongs to the owner
        preexec_fn=_prepare_server,
    )
    print(server.pid, flush=True)
    _watch(server, owner, grace_s)
    _kill_group(server.pid)
    status = server.wait()
    for region in _SHM.glob(f"{shm_prefix}*"):
        region.unlink(missing_ok=True)
    shutil.rmtree(workdir, ignore_errors=True)
    return status if status >= 0 else 128 - status


def _prepare_server() -> None:
    """In the child before exec: own process group, default signals, dies with this process."""
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _watch(server: "subprocess.Popen[bytes]", owner: int, grace_s: float) -> None:
    """Return once the server has ended, leaving it unreaped so that its group id stays ours."""
    deadline: float | None = None
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while os.waitid(os.P_PID, server.pid, ended) is None:
        received = signal.sigtimedwait(_SIGNALS, _OWNER_CHECK_S)
        number = None if received is None else received.si_signo
        if number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) and deadline is None:
            os.kill(server.pid, signal.SIGTERM)
            deadline = time.monotonic() + grace_s
        overdue = deadline is not None and time.monotonic() > deadline
        if overdue or number == signal.SIGUSR1 or os.getppid() != owner:
            os.kill(server.pid, signal.SIGKILL)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
