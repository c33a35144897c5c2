"""The embedded Triton: start it, know its endpoints, stop it."""

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.embedded import serverlog
from deploy.embedded.endpoints import LOOPBACK, Endpoints, in_use
from deploy.embedded.errors import EmbeddedTritonError, StartError
from deploy.embedded.installation import Installation, find_installation
from deploy.embedded.layout import assemble_backends
from deploy.embedded.leftovers import Leftovers, remove_leftovers_of_the_dead
from deploy.embedded.process import SupervisedProcess
from deploy.embedded.readiness import models_not_ready
from deploy.embedded.repository import models_to_serve

_ATTEMPTS = 3
_POLL_S = 0.05
_EXIT_TIMEOUT_S = 3
"""An idle keep-alive connection of a client holds a polite stop up for all of this time."""
_STUB_TIMEOUT_S = 120
"""Python stubs import onnxruntime; the default of 30 s is short on a loaded machine."""


class EmbeddedTriton:
    """A Triton Inference Server owned by this process; a context manager.

    It serves a production model repository unchanged and listens on the loopback interface
    only. It ends with its owner, however the owner ends. After `stop` or `kill`, `start`
    brings it back on the same endpoints. Not safe for use by several threads at once.
    """

    def __init__(
        self,
        repository: Path,
        *,
        log_dir: Path,
        models: Sequence[str] | None = None,
        endpoints: Endpoints | None = None,
        extra_arguments: Sequence[str] = (),
    ) -> None:
        """Prepare a server; nothing runs yet.

        repository: Triton model repository, one folder for each model. log_dir: folder for
        `triton.log`; made when missing, the log is appended to. models: names of the models to
        serve; None for all. endpoints: where to listen; None for free loopback ports, which are
        then kept over restarts. extra_arguments: further `tritonserver` options, for example
        `--log-verbose=1`.
        """
        self._repository = repository
        self._models = models
        self._log = log_dir / "triton.log"
        self._endpoints = endpoints
        self._extra = tuple(extra_arguments)
        self._process: SupervisedProcess | None = None

    @property
    def endpoints(self) -> Endpoints:
        """Where it listens; known after the first `start`."""
        if self._endpoints is None:
            raise EmbeddedTritonError("the embedded Triton has no endpoints before it is started.")
        return self._endpoints

    @property
    def log_path(self) -> Path:
        """The server's log, with the output of its models."""
        return self._log

    @property
    def pid(self) -> int | None:
        """Process id of the running tritonserver; None when it does not run."""
        return self._process.pid if self._process is not None and self.alive else None

    @property
    def alive(self) -> bool:
        """Whether the server process runs (ready or not)."""
        return self._process is not None and self._process.exit_status is None

    def start(self, timeout_s: float = 120.0) -> Endpoints:
        """Start the server and wait until it is ready with every model.

        timeout_s: seconds until the start counts as failed. Raises UnsupportedPlatformError when
        this machine cannot run the wheel's Triton, RepositoryError when the repository or a model
        asked for is not there, StartError when the server does not become ready with every model.
        """
        if self.alive:
            raise EmbeddedTritonError("the embedded Triton runs already.")
        expected = models_to_serve(self._repository, self._models)
        installation = find_installation()
        self._make_log_dir()
        remove_leftovers_of_the_dead()
        deadline = time.monotonic() + timeout_s
        if self._endpoints is not None:
            _check(self._endpoints)
            self._start_once(installation, self._endpoints, expected, deadline)
            return self._endpoints
        for _ in range(_ATTEMPTS):
            endpoints = Endpoints.free()
            try:
                self._start_once(installation, endpoints, expected, deadline)
            except _PortTakenError:
                continue
            self._endpoints = endpoints
            return endpoints
        raise StartError(f"no free loopback ports found in {_ATTEMPTS} attempts; see {self._log}.")

    def stop(self) -> None:
        """End the server politely (by force after its grace time). Does nothing when it is down."""
        if self._process is not None:
            self._process.stop()

    def kill(self) -> None:
        """End the server at once, as a crash would. Does nothing when it is down."""
        if self._process is not None:
            self._process.kill()

    def wait(self, timeout_s: float) -> int | None:
        """Wait for the server to end by itself.

        Returns its exit status (128 + N after signal N); None when `timeout_s` seconds pass first.
        """
        if self._process is None:
            raise EmbeddedTritonError("the embedded Triton was not started.")
        return self._process.wait(timeout_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _make_log_dir(self) -> None:
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            self._log.touch()
        except OSError as error:
            raise StartError(
                f"cannot write Triton's log {self._log}: {error.strerror}. Give a folder of your "
                "own with --log-dir."
            ) from error

    def _start_once(
        self,
        installation: Installation,
        endpoints: Endpoints,
        expected: Sequence[str],
        deadline: float,
    ) -> None:
        log_start = serverlog.size_of(self._log)
        process = self._process = self._launch(installation, endpoints)
        try:
            self._await_ready(process, endpoints, expected, deadline, log_start)
        except BaseException:
            process.kill()
            raise

    def _launch(self, installation: Installation, endpoints: Endpoints) -> SupervisedProcess:
        leftovers = Leftovers.for_this_process()
        backends = assemble_backends(leftovers.workdir / "backends", installation)
        return SupervisedProcess(
            [
                str(installation.server),
                *_options(self._repository.resolve(), self._models, endpoints),
                f"--backend-directory={backends}",
                f"--backend-config=python,shm-region-prefix-name={leftovers.shm_prefix}",
                f"--backend-config=python,stub-timeout-seconds={_STUB_TIMEOUT_S}",
                *self._extra,
            ],
            env=installation.environment(),
            log=self._log,
            leftovers=leftovers,
            grace_s=_EXIT_TIMEOUT_S + 5.0,
        )

    def _await_ready(
        self,
        process: SupervisedProcess,
        endpoints: Endpoints,
        expected: Sequence[str],
        deadline: float,
        log_start: int,
    ) -> None:
        unready: dict[str, str] | None = None
        while process.wait(_POLL_S) is None and time.monotonic() < deadline:
            unready = models_not_ready(endpoints, expected)
            if unready is not None:
                break
        if unready is None:
            log = serverlog.read_from(self._log, log_start)
            if process.exit_status is not None and serverlog.port_was_taken(log):
                raise _PortTakenError(f"a port of {endpoints} was taken; see {self._log}.")
            raise StartError(
                f"{serverlog.why_start_failed(log, process.exit_status)}\n"
                f"The whole log: {self._log}"
            )
        if unready:
            raise StartError(f"{serverlog.describe_models(unready)}\nThe whole log: {self._log}")


class _PortTakenError(StartError):
    """Another process took one of the ports between our look and the server's bind."""


def _check(endpoints: Endpoints) -> None:
    for name, host, port in endpoints.split():
        if host != LOOPBACK:
            raise StartError(
                f"{name} endpoint {host}:{port}: the embedded Triton has no access control and "
                f"listens on {LOOPBACK} only."
            )
        if in_use(port, host):
            raise StartError(
                f"{name} endpoint {host}:{port} is in use by another process. Stop that process, "
                "or choose another port (0: any free one)."
            )


def _options(repository: Path, models: Sequence[str] | None, endpoints: Endpoints) -> list[str]:
    options = [
        f"--model-repository={repository}",
        # Without a GPU this only logs NVML errors.
        "--allow-gpu-metrics=false",
        f"--exit-timeout-secs={_EXIT_TIMEOUT_S}",
    ]
    for name, host, port in endpoints.split():
        options += [f"--{name}-address={host}", f"--{name}-port={port}"]
    if models is not None:
        options.append("--model-control-mode=explicit")
        options += [f"--load-model={model}" for model in models]
    return options
