"""What a request can get wrong at the gateway, below tailq.errors.BadRequest.

BadRequest              a request asks for something that cannot be
├── UnknownModel        no such service, or no such version of it
├── TooLarge            the body is over the limit
├── LengthRequired      neither a length nor chunks: the body's end would be a guess
├── Unauthorized        no key where one is needed, or one that nobody has
├── Forbidden           the client may not use this tier or this deadline
└── QuotaExceeded       the client has asked for more than its share

Protocols translate these; nothing here knows a status code. And of the operator's:
CannotListen, a TailqError.
"""

from dataclasses import dataclass

from tailq.errors import BadRequest, TailqError


class UnknownModel(BadRequest):
    """The asked model or version is not served here; the text names what is."""


class TooLarge(BadRequest):
    """The request's body is larger than the gateway accepts."""


class LengthRequired(BadRequest):
    """The request does not say where its body ends."""


class Unauthorized(BadRequest):
    """A key is missing or unknown; the text says how to send one, and never repeats it."""


class Forbidden(BadRequest):
    """The client may not have what it asks for; the text names what it may have."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How a client stands.

    limit: requests per `window_s` seconds. remaining: of these now. reset_s: seconds until all
    of them are there again. retry_s: until there is one.
    """

    limit: int
    window_s: int
    remaining: int
    reset_s: float
    retry_s: float


class QuotaExceeded(BadRequest):
    """The client has asked too often (quota), or has too much in flight (quota is None)."""

    def __init__(self, text: str, quota: Quota | None) -> None:
        super().__init__(text)
        self.quota = quota


class CannotListen(TailqError):
    """A listener's address cannot be had. address: HOST:PORT. why: as the system says."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"cannot listen at {address}: {why}; set another in [listen], or by --host, --port, "
            "--grpc-port, --admin-port"
        )
