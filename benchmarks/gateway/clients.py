"""Clients that cost as little as a client in Python can: prepared bytes out, bytes back in."""

import socket
from typing import Final, Protocol

import grpc
import numpy as np
import tritonclient.grpc as triton_grpc
from tritonclient.grpc import service_pb2

IMAGE: Final = np.random.default_rng(0).random((1, 1, 28, 28), dtype=np.float32)
_METHOD: Final = "/inference.GRPCInferenceService/ModelInfer"
_JSON: Final = (
    b'{"inputs":[{"name":"images","shape":[1,1,28,28],"datatype":"FP32",'
    b'"parameters":{"binary_data_size":3136}}],"parameters":{"binary_data_output":true}}'
)


class Client(Protocol):
    """One connection, one request at a time."""

    def ask(self) -> None:
        """Send the request and wait for its answer. Raises if it is not a good one."""

    def close(self) -> None:
        """Leave."""


class RestClient:
    """HTTP/1.1 over a blocking socket. address: HOST:PORT. model: in the path. tier: header."""

    def __init__(self, address: str, model: str, tier: str) -> None:
        host, _, port = address.rpartition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = _JSON + IMAGE.tobytes()
        self._request = (
            b"POST /v2/models/%s/infer HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n"
            b"Inference-Header-Content-Length: %d\r\nContent-Type: application/octet-stream\r\n"
            b"tailq-tier: %s\r\n\r\n"
            % (model.encode(), address.encode(), len(body), len(_JSON), tier.encode())
        ) + body

    def ask(self) -> None:
        """See Client."""
        self._socket.sendall(self._request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"not a good answer: {received[:600]!r}")
        lower = head.lower()
        length = int(lower.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
        count = len(body)
        while count < length:
            count += len(self._more())

    def _more(self) -> bytes:
        received = self._socket.recv(1 << 16)
        if not received:
            raise RuntimeError("the connection was closed")
        return received

    def close(self) -> None:
        """See Client."""
        self._socket.close()


class GrpcClient:
    """gRPC with a message made beforehand and an answer that is not parsed."""

    def __init__(self, address: str, model: str, tier: str) -> None:
        # Its own channel: grpcio shares connections between equal ones.
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self._ask: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(_METHOD)
        self._metadata = (("tailq-tier", tier),)
        one = triton_grpc.InferInput("images", list(IMAGE.shape), "FP32")
        one.set_data_from_numpy(IMAGE)
        message = service_pb2.ModelInferRequest(
            model_name=model,
            inputs=[one._get_tensor()],
            raw_input_contents=[one._get_content()],
        )
        self._message: bytes = message.SerializeToString()

    def ask(self) -> None:
        """See Client."""
        if not self._ask(self._message, metadata=self._metadata):
            raise RuntimeError("an empty answer")

    def close(self) -> None:
        """See Client."""
        self._channel.close()
