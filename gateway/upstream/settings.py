"""Which Tritons there are and how they are reached: the part of the settings that is theirs."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ByteSize, ConfigDict, Field, model_validator

from gateway.upstream import endpoint
from tailq.errors import TailqError

Seconds = Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)]


def _address(text: str) -> str:
    try:
        endpoint.parse(text)
    except TailqError as error:
        raise ValueError(str(error)) from None
    return text


def _plain(text: str) -> str:
    if _address(text).startswith("https://"):
        raise ValueError(f"{text!r}: Triton serves its metrics without TLS; give HOST:PORT")
    return text


def _name(text: str) -> str:
    if not endpoint.is_name(text):
        raise ValueError(f"{text!r} is no name of a host, such as triton.example")
    return text


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TlsSettings(_Frozen):
    """TLS to Triton. Certificates are always verified, names too.

    ca: PEM file of the authorities that are trusted; None: those of the system.
    certificate, key: PEM files of the gateway's own certificate, for Tritons (or proxies before
        them) that ask for one; key None: it is in the certificate's file. It is not encrypted.
    server_name: that Tritons' certificates must be for; None: the host of each endpoint.
    """

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    server_name: Annotated[str, Field(max_length=253), AfterValidator(_name)] | None = None

    @model_validator(mode="after")
    def _key_has_a_certificate(self) -> Self:
        if self.key is not None and self.certificate is None:
            raise ValueError("key: is of no use without `certificate`; set both or neither")
        return self


class EndpointSettings(_Frozen):
    """One Triton.

    Where it has no metrics it may be written as its HTTP endpoint alone.
    http: HOST:PORT of its HTTP endpoint, or https://HOST:PORT. metrics: HOST:PORT of its metrics,
        read as a hint of what other gateways send it; None: no such hint.
    """

    http: Annotated[str, AfterValidator(_address)]
    metrics: Annotated[str, AfterValidator(_plain)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        return {"http": given} if isinstance(given, str) else given


class UpstreamSettings(_Frozen):
    """All Tritons of one gateway: each serves the same variants, or some of them.

    connect_s: seconds that opening a connection may take. max_reply: bytes of one answer that are
        accepted, or a size such as "64MiB".
    """

    endpoints: Annotated[tuple[EndpointSettings, ...], Field(min_length=1, max_length=256)]
    tls: TlsSettings | None = None
    connect_s: Seconds = 2.0
    max_reply: Annotated[ByteSize, Field(ge=1)] = ByteSize(64 << 20)

    @model_validator(mode="after")
    def _endpoints_fit(self) -> Self:
        parsed = [endpoint.parse(one.http) for one in self.endpoints]
        places = [(host, port) for _, host, port in parsed]
        twice = [one.http for one, at in zip(self.endpoints, places, strict=True)
                 if places.count(at) > 1]  # fmt: skip
        if twice:
            raise ValueError(f"endpoints: {', '.join(twice)}: the same one twice; leave one")
        if self.tls is not None and not any(secure for secure, _, _ in parsed):
            raise ValueError(
                "tls: no endpoint uses it; write them as https://HOST:PORT, or leave `tls` out"
            )
        return self
