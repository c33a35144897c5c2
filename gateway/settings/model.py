"""What can be set: one model for each section of the file."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ByteSize, ConfigDict, Field, model_validator

from gateway.clients.settings import ClientsSettings
from gateway.dataplane import Limits
from gateway.rest.patience import Patience
from gateway.upstream.settings import UpstreamSettings

_MIB = 1 << 20

_LAST_PORT = 65535

Port = Annotated[int, Field(ge=0, le=_LAST_PORT)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Size = Annotated[ByteSize, Field(ge=1)]


class Section(BaseModel):
    """Frozen; an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ListenTlsSettings(Section):
    """TLS of the data listeners, REST and gRPC.

    certificate, key: PEM files of the gateway's certificate, followed by those between it and its
        authority, and of its key; key None: it is in the certificate's file. It is not encrypted.
    client_ca: PEM file of authorities: clients must show a certificate of theirs; None: they show
        none.
    """

    certificate: Path
    key: Path | None = None
    client_ca: Path | None = None


class ListenSettings(Section):
    """Where the gateway listens, and with how many processes.

    http_port, grpc_port, admin_port: 0 is a free one. The latter two, unset, are the next ones
    after http_port (free ones if that is 0). lame_duck_s: seconds between "not ready" and no new
    connections when it is told to end, for load balancers to look. tls: of the data listeners;
    None: they speak in the clear.
    """

    host: str = "127.0.0.1"
    http_port: Port = 8080
    grpc_port: Port | None = None
    admin_host: str = "127.0.0.1"
    admin_port: Port | None = None
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    lame_duck_s: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] = 0.0
    tls: ListenTlsSettings | None = None

    @property
    def grpc(self) -> int:
        """The gRPC port to bind."""
        return self._after(self.grpc_port, 1)

    @property
    def admin(self) -> int:
        """The admin port to bind."""
        return self._after(self.admin_port, 2)

    @model_validator(mode="after")
    def _ports_fit(self) -> Self:
        ports = {"http_port": self.http_port, "grpc_port": self.grpc, "admin_port": self.admin}
        for key, port in ports.items():
            if port > _LAST_PORT:
                raise ValueError(f"{key} follows http_port and would be {port}; set it")
        if self.admin_host != self.host:
            del ports["admin_port"]
        fixed = [port for port in ports.values() if port]
        if len(set(fixed)) < len(fixed):
            said = ", ".join(f"{key} {port}" for key, port in ports.items())
            raise ValueError(f"each listener needs a port of its own, not {said}")
        return self

    def _after(self, port: int | None, offset: int) -> int:
        if port is not None or self.http_port == 0:
            return port or 0
        return self.http_port + offset


class LimitSettings(Section):
    """What a client may take, in each worker process.

    max_body, max_buffered: bytes of one request's body, of all bodies held at once; a size such
    as "64MiB". The rest: see rest.patience.Patience and dataplane.Limits.
    """

    max_body: Size = ByteSize(64 * _MIB)
    max_buffered: Size | None = None
    at_deadline: Literal["abandon", "cancel"] = "abandon"
    abandon_s: Seconds = 10.0
    head_s: Seconds = 10.0
    idle_s: Seconds = 75.0
    write_s: Seconds = 30.0
    head_bytes: Annotated[ByteSize, Field(ge=1024, le=_MIB)] = ByteSize(32 << 10)
    headers: Annotated[int, Field(ge=10, le=1000)] = 100
    connections: Count = 1024

    @model_validator(mode="after")
    def _one_body_fits(self) -> Self:
        if self.buffered < self.max_body:
            raise ValueError("max_buffered must be at least max_body")
        return self

    @property
    def buffered(self) -> int:
        """Bytes of bodies held at once."""
        if self.max_buffered is not None:
            return self.max_buffered
        return max(512 * _MIB, 2 * self.max_body)

    @property
    def patience(self) -> Patience:
        """With slow clients."""
        return Patience(
            head_s=self.head_s,
            idle_s=self.idle_s,
            write_s=self.write_s,
            head_bytes=self.head_bytes,
            headers=self.headers,
            connections=self.connections,
        )


class AdmissionSettings(Section):
    """Who may go to Triton.

    places: requests at each Triton at once; None: as many as were profiled. waiting: requests that
    may wait for a place, in each worker process.
    """

    places: Count | None = None
    waiting: Annotated[int, Field(ge=0)] = 1024


class FeedbackSettings(Section):
    """Labels that clients tell. remember: requests that they can be of, in each worker process.

    0: none are taken. A request takes about 135 bytes, so these take 9 MB.
    """

    remember: Annotated[int, Field(ge=0, le=1 << 24)] = 1 << 16


class ProbeSettings(Section):
    """Labelled samples that the gateway sends itself.

    file: probes.npz of the profile that the tiers are of; None: none are sent. per_s: of all tiers
    and all worker processes together.
    """

    file: Path | None = None
    per_s: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 1.0


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class LogSettings(Section):
    """What is said on standard error.

    requests_per_s: requests that did not end well told of in one second; the others are counted.
    """

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    format: Literal["text", "json"] = "text"
    requests_per_s: Annotated[int, Field(ge=0, le=10_000)] = 10


class Settings(Section):
    """Settings of one gateway. tiers: path of the tier table."""

    tiers: Path
    listen: ListenSettings = ListenSettings()
    upstream: UpstreamSettings
    limits: LimitSettings = LimitSettings()
    admission: AdmissionSettings = AdmissionSettings()
    clients: ClientsSettings = ClientsSettings()
    feedback: FeedbackSettings = FeedbackSettings()
    probes: ProbeSettings = ProbeSettings()
    log: LogSettings = LogSettings()

    @property
    def dataplane(self) -> Limits:
        """Bounds of the dataplane."""
        return Limits(at_deadline=self.limits.at_deadline, abandon_s=self.limits.abandon_s)


def keys(path: Iterable[str]) -> tuple[str, ...]:
    """The keys of the section at `path`, none if that is no section."""
    section: type[BaseModel] = Settings
    for part in path:
        field = section.model_fields.get(part)
        kind = None if field is None else field.annotation
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return ()
        section = kind
    return tuple(section.model_fields)
