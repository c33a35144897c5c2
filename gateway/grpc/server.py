"""The gRPC listener: its bounds, its start and its drain."""

from typing import Final

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from gateway.errors import CannotListen
from gateway.grpc.credentials import Credentials
from gateway.grpc.health import SERVICE, Health
from gateway.grpc.infer import Infer
from gateway.grpc.methods import Methods
from gateway.grpc.protocol import inference_pb2
from gateway.grpc.routes import Routes
from gateway.pem import Pem
from gateway.service import Service
from gateway.upstream.readiness import Readiness

_MAX_METADATA: Final = 32 << 10  # bytes, as of an HTTP head
_MAX_CALLS: Final = 1024
_IDLE_MS: Final = 15 * 60_000
# When its connection ends, a client looks again for replicas that are new. What is in flight has
# the longest deadline there is, a minute, and some more.
_AGE_MS: Final = 30 * 60_000
_AGE_GRACE_MS: Final = 75_000
_PING_MS: Final = 60_000
_PING_TIMEOUT_MS: Final = 20_000
_CLIENT_PING_MS: Final = 10_000  # more often is an attack


class GrpcServer:
    """Serves one service over gRPC, on the loop it is started in.

    host: loopback by default. port: 0 is a free one. reuse_port: several processes listen at the
    same port, and the kernel spreads connections over them. name, version: of this server.
    pem: what it shows over TLS; None: it speaks in the clear. handshake_s: for a client to begin,
    in TLS if need be and in HTTP/2.
    """

    def __init__(
        self,
        service: Service,
        readiness: Readiness,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        reuse_port: bool = False,
        name: str = "tailq-gateway",
        version: str = "0",
        pem: Pem | None = None,
        handshake_s: float = 10.0,
    ) -> None:
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._options = (
            ("grpc.so_reuseport", int(reuse_port)),
            ("grpc.max_receive_message_length", service.max_body),
            ("grpc.max_send_message_length", -1),  # as long as Triton's answers may be
            ("grpc.max_metadata_size", _MAX_METADATA),
            ("grpc.absolute_max_metadata_size", _MAX_METADATA),
            ("grpc.max_concurrent_streams", _MAX_CALLS),
            ("grpc.server_handshake_timeout_ms", round(handshake_s * 1000)),
            ("grpc.max_connection_idle_ms", _IDLE_MS),
            ("grpc.max_connection_age_ms", _AGE_MS),
            ("grpc.max_connection_age_grace_ms", _AGE_GRACE_MS),
            ("grpc.keepalive_time_ms", _PING_MS),
            ("grpc.keepalive_timeout_ms", _PING_TIMEOUT_MS),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", _CLIENT_PING_MS),
        )
        self._credentials = None if pem is None else Credentials(pem)
        self._infer = Infer(service)
        self._routes = Routes(self._infer, Methods(service, readiness, name, version), service)
        self._readiness = readiness
        self._health: Health | None = None
        self._server: aio.Server | None = None

    async def start(self) -> int:
        """Listen; the port. Raises CannotListen if that cannot be had."""
        server = aio.server(
            handlers=(self._routes,), options=self._options, maximum_concurrent_rpcs=_MAX_CALLS
        )
        self._health = Health(self._readiness)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (
                SERVICE,
                health_pb2.DESCRIPTOR.services_by_name["Health"].full_name,
                reflection.SERVICE_NAME,
            ),
            server,
            _described(),
        )
        try:
            port = (
                server.add_insecure_port(self._address)
                if self._credentials is None
                else server.add_secure_port(self._address, self._credentials.server)
            )
        except RuntimeError:
            why = "in use, or no address of this machine"  # gRPC does not tell which
            raise CannotListen(self._address, why) from None
        await server.start()
        self._server = server
        return port

    def reload(self) -> None:
        """The service's tiers or clients are others now."""
        self._infer.reload()

    def renew(self, pem: Pem) -> None:
        """Show this over TLS from now on, if it was TLS to begin with."""
        if self._credentials is not None:
            self._credentials.renew(pem)

    @property
    def draining(self) -> bool:
        """Whether it is about to end."""
        return self._health is not None and self._health.draining

    async def stop(self, grace_s: float) -> None:
        """Take no more calls, and wait for those in flight; after `grace_s` seconds end them."""
        if self._health is not None:
            self._health.drain()
        if self._server is not None:
            await self._server.stop(grace_s)


def _described() -> DescriptorPool:
    """What reflection tells: the messages of all services here."""
    pool = DescriptorPool()
    for file in (inference_pb2.DESCRIPTOR, health_pb2.DESCRIPTOR, reflection_pb2.DESCRIPTOR):
        pool.Add(FileDescriptorProto.FromString(file.serialized_pb))
    return pool
