"""HAProxy in front of Triton: the floor of what any proxy costs, for REST and for gRPC."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from deploy.embedded.endpoints import Endpoints, free_ports

# One thread, as the gateway has. Of REST the model is chosen by header, as the gateway does it;
# of gRPC it is in the body, where HAProxy cannot look.
_CONFIG: Final = """
global
    nbthread 1
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend rest
    bind 127.0.0.1:{rest}
    http-request set-path /v2/models/fashion_nano/infer if {{ req.hdr(tailq-tier) small }}
    http-request set-path /v2/models/fashion_large/infer if {{ req.hdr(tailq-tier) heavy }}
    default_backend rest
backend rest
    server triton {http}
frontend grpc
    bind 127.0.0.1:{grpc} proto h2
    default_backend grpc
backend grpc
    server triton {triton_grpc} proto h2
"""


# Debian's package puts it where a user's PATH does not lead.
BINARY: Final = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@contextmanager
def haproxy(triton: Endpoints, folder: Path) -> Iterator[tuple[str, str]]:
    """A running one; yields HOST:PORT of its REST and of its gRPC side."""
    assert BINARY is not None
    rest, grpc = free_ports(2)
    config = folder / "haproxy.cfg"
    config.write_text(
        _CONFIG.format(rest=rest, grpc=grpc, http=triton.http, triton_grpc=triton.grpc)
    )
    process = subprocess.Popen([BINARY, "-f", config, "-db"])
    try:
        _until_listening(rest)
        yield f"127.0.0.1:{rest}", f"127.0.0.1:{grpc}"
    finally:
        process.terminate()
        process.wait()


def _until_listening(port: int) -> None:
    give_up = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.02)
        else:
            return
