"""One Triton's address, and how it is reached: in the clear or over TLS."""

import ssl
from dataclasses import dataclass, field

from tailq.errors import TailqError


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server of Triton's (its HTTP service, its metrics) listens.

    tls: checks the server's certificate and may hold one of ours; None: plain text.
    server_name: that the certificate must be for; None: `host`.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, compare=False, repr=False)
    server_name: str | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse(text: str) -> tuple[bool, str, int]:
    """Whether it is https, host and port of HOST:PORT, [IPv6]:PORT or either after a scheme.

    Raises TailqError.
    """
    secure = text.startswith("https://")
    bare = text.removeprefix("https://").removeprefix("http://").removesuffix("/")
    host, _, port = bare.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host.removeprefix("[").removesuffix("]")
    good_port = port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16
    odd = set(host) & set(" /@?#[]") or (":" in host) != bracketed
    if not is_name(host) or not good_port or odd:
        raise TailqError(
            f"{text!r} is no HOST:PORT, such as 127.0.0.1:8000, [::1]:8000 or "
            "https://triton.example:8443"
        )
    return secure, host, int(port)


def is_name(host: str) -> bool:
    """Whether it can be a host's: resolvers raise an error of their own for what cannot."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host.isprintable() and host.strip(".") != "" and not host.startswith(".")
