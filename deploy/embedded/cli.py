"""`tailq-triton`: run the embedded Triton until it is told to stop."""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from deploy.embedded.endpoints import Endpoints, free_ports
from deploy.embedded.errors import EmbeddedTritonError
from deploy.embedded.server import EmbeddedTriton

_LOOK_S = 0.5
_STOP = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line. Returns the exit status: 0 after a clean stop, else 1."""
    options = _parser().parse_args(arguments)
    server = EmbeddedTriton(
        options.repository,
        log_dir=options.log_dir or Path(tempfile.gettempdir()) / "tailq-triton-log",
        models=options.models,
        endpoints=_endpoints(options.http_port, options.grpc_port, options.metrics_port),
    )
    try:
        return _serve(server, as_json=options.json, timeout_s=options.timeout)
    except EmbeddedTritonError as error:
        print(f"tailq-triton: {error}", file=sys.stderr)
        return 1


def _serve(server: EmbeddedTriton, *, as_json: bool, timeout_s: float) -> int:
    try:
        for number in _STOP:  # SIGINT too: a shell starts background jobs with it ignored
            signal.signal(number, _interrupt)
        endpoints = server.start(timeout_s)
        facts = {**asdict(endpoints), "pid": server.pid, "log": str(server.log_path)}
        if as_json:
            print(json.dumps(facts), flush=True)
        else:
            print(
                f"Triton is ready: http {endpoints.http}  grpc {endpoints.grpc}  "
                f"metrics {endpoints.metrics}  (log {server.log_path}; Ctrl-C ends it)",
                flush=True,
            )
        while (status := server.wait(_LOOK_S)) is None:
            pass
        print(
            f"tailq-triton: Triton ended by itself with status {status}; see {server.log_path}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        for number in _STOP:  # one is enough; the stop is bounded
            signal.signal(number, signal.SIG_IGN)
        server.stop()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _endpoints(http: int, grpc: int, metrics: int) -> Endpoints | None:
    """None where every port is 0, so that the server may retry with others."""
    if not (http or grpc or metrics):
        return None
    chosen = [
        given or free for given, free in zip((http, grpc, metrics), free_ports(3), strict=True)
    ]
    return Endpoints.on_ports(*chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tailq-triton",
        description="Run a real Triton Inference Server from the nvidia-pytriton wheel, on the "
        "loopback interface, until Ctrl-C or SIGTERM.",
    )
    parser.add_argument("--repository", type=Path, required=True, help="Triton model repository")
    parser.add_argument(
        "--models", type=_names, default=None, metavar="A,B", help="models to serve (default: all)"
    )
    parser.add_argument(
        "--log-dir",
        type=Path,
        default=None,
        help="folder for triton.log (default: a temporary one)",
    )
    for name in ("http", "grpc", "metrics"):
        parser.add_argument(
            f"--{name}-port", type=_port, default=0, help="loopback port (default: 0, any free one)"
        )
    parser.add_argument(
        "--json", action="store_true", help="print the endpoints as one JSON object"
    )
    parser.add_argument(
        "--timeout", type=float, default=120.0, help="seconds to wait for readiness (default: 120)"
    )
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give a number from 0 to 65535")
    return int(text)
