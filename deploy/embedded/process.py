"""Starts a tritonserver under its supervisor, and ends it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.embedded.errors import StartError
from deploy.embedded.leftovers import Leftovers

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_START_S = 30.0


class SupervisedProcess:
    """One running tritonserver. pid: of the tritonserver itself, not of its supervisor."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        log: Path,
        leftovers: Leftovers,
        grace_s: float,
    ) -> None:
        """Start `command`; its output is appended to `log`.

        command: the program and its arguments. env: the whole environment of the new process.
        log: file that standard output and error are appended to. leftovers: removed by the
        supervisor when the server has ended. grace_s: seconds between SIGTERM and SIGKILL on
        `stop`. Raises StartError when the supervisor does not report a process id.
        """
        self._grace_s = grace_s
        with log.open("ab") as sink:
            self._supervisor = subprocess.Popen(
                # -I -S: no site-packages, no user settings; it starts in 20 ms.
                [
                    *(sys.executable, "-I", "-S", str(_SUPERVISOR)),
                    *(str(os.getpid()), str(grace_s)),
                    *(leftovers.shm_prefix, str(leftovers.workdir)),
                    *command,
                ],
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=sink,
                start_new_session=True,  # a Ctrl-C in the terminal is for the owner to handle
            )
        self.pid = self._read_pid(log)

    def _read_pid(self, log: Path) -> int:
        pipe = self._supervisor.stdout
        assert pipe is not None
        with pipe:
            ready, _, _ = select.select([pipe], [], [], _START_S)
            line = pipe.readline() if ready else b""
        if not line.strip().isdigit():
            self._supervisor.kill()
            self._supervisor.wait()
            raise StartError(f"the supervisor of tritonserver did not start; see {log}.")
        return int(line)

    @property
    def exit_status(self) -> int | None:
        """None while the server runs; then its exit status, 128 + N after signal N."""
        return self._supervisor.poll()

    def wait(self, timeout_s: float) -> int | None:
        """Wait until the server has ended and is tidied up; None when `timeout_s` passes first."""
        try:
            return self._supervisor.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> int:
        """End the server politely, by force after the grace time. Returns its exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> int:
        """End the server at once, as a crash would. Returns its exit status."""
        return self._end(signal.SIGUSR1)

    def _end(self, number: signal.Signals) -> int:
        if self._supervisor.poll() is None:
            self._supervisor.send_signal(number)
        status = self.wait(self._grace_s + 10.0)
        if status is None:  # the supervisor itself hangs; the kernel ends the server with it
            self._supervisor.kill()
            status = self._supervisor.wait()
        return status
