"""Large bodies and slow peers, with the loop that the gateway really runs on."""

import os
import re
import socket
from contextlib import closing
from pathlib import Path

from tests.gateway.process import GatewayProcess
from tests.gateway.running import TABLE
from tests.gateway.steady import SteadyStub
from tests.gateway.stub import REPLY, Received, answer, ok

TENSOR = os.urandom(16 << 20)


async def echo(request: Received) -> bytes | None:
    """Its own body comes back as a tensor."""
    if not request.path.endswith("/infer"):
        return await answer(request)
    return ok(REPLY + request.body, f"Inference-Header-Content-Length: {len(REPLY)}")


def test_large_bodies_pass_however_slowly_they_are_taken(tmp_path: Path) -> None:
    """Far beyond every buffer on the way, in both directions, and the connection goes on."""
    with (
        SteadyStub(echo) as stub,
        GatewayProcess(tmp_path, TABLE, stub.address) as gateway,
        closing(socket.socket()) as connection,
    ):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", gateway.port))
        head = "POST /v2/models/fashion/infer HTTP/1.1\r\nhost: gateway\r\ntailq-tier: fast\r\n"
        sent = f"{head}content-length: {len(TENSOR)}\r\n\r\n".encode()
        with connection.makefile("rb") as reader:
            for _ in range(2):
                connection.sendall(sent + TENSOR)
                lines = b"".join(iter(reader.readline, b"\r\n")).decode()
                assert lines.startswith("HTTP/1.1 200 ")
                found = re.search(r"content-length: (\d+)", lines)
                assert found is not None
                body = reader.read(int(found[1]))
                assert body[-len(TENSOR) :] == TENSOR
        assert gateway.outcomes() == {"on_time": 2}
