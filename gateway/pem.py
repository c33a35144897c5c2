"""Content of PEM files for TLS, of either side of the gateway, and contexts that are made of it.

The files are read where it is decided whether they are taken (reload/), and their content is handed
to every process. So what lies on disk later does not matter, not even to a worker that starts anew.
"""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailq.errors import TailqError


@dataclass(frozen=True, slots=True, repr=False)  # a key is never shown
class Pem:
    """Content of the files, in PEM form.

    certificate: the gateway's, and those between it and its authority; empty: it has none. key: its
    own, which may be in the same file. ca: of the authorities that vouch for the other side; None:
    those that are trusted anyway, or nobody need vouch.
    """

    certificate: bytes = b""
    key: bytes = b""
    ca: bytes | None = None


def encode(pem: Pem | None) -> list[str | None] | None:
    """As JSON has it."""
    if pem is None:
        return None
    parts = (pem.certificate, pem.key, pem.ca)
    return [None if part is None else part.decode("latin-1") for part in parts]


def decode(told: list[str | None] | None) -> Pem | None:
    """What encode() made."""
    if told is None:
        return None
    certificate, key, ca = (None if one is None else one.encode("latin-1") for one in told)
    return Pem(certificate or b"", key or b"", ca)


def content(field: str, path: Path) -> bytes:
    """Of a file. Raises TailqError. field: of the settings, that names it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise TailqError(
            f"{field}: {path}: cannot be read ({error.strerror}); name a PEM file that this user "
            "may read"
        ) from None


def show(context: ssl.SSLContext, pem: Pem) -> None:
    """Have `context` show the certificate. Raises ssl.SSLError if they are no pair."""
    with _file(pem.certificate) as certificate, _file(pem.key) as key:
        # Without a password of ours, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password=_no_password)


def ascii_of(part: bytes) -> str:
    """All that matters in it; comments may be in any language."""
    return part.decode("ascii", "ignore")


class Renewable(ssl.SSLContext):
    """Each new connection is as `present`, which may be replaced, says then.

    asyncio and uvloop ask a context for nothing but wrap_bio. A context's own authorities could
    only be added to, and a session that the old ones let in could be resumed.
    """

    present: ssl.SSLContext

    def wrap_bio(self, *given: Any, **options: Any) -> ssl.SSLObject:
        """See ssl.SSLContext."""
        return self.present.wrap_bio(*given, **options)


def renewable(present: ssl.SSLContext) -> Renewable:
    """A context that begins as `present`."""
    made = Renewable(present.protocol)
    made.present = present
    return made


def _no_password() -> str:
    raise ssl.SSLError("the key is encrypted")


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """The path of a file without a name: OpenSSL takes a certificate and its key from files."""
    try:
        descriptor = os.memfd_create("tailq-gateway-tls")
    except (AttributeError, OSError):  # not Linux
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
        opened.flush()
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield f"/dev/fd/{descriptor}"
