"""TLS of the data listeners: what its files hold, whether that can be served, and REST's context.

The files are read where it is decided whether they are taken (reload/), and their content is handed
to every process. So what lies on disk later does not matter, not even to a worker that starts anew.
"""

import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.settings.model import ListenTlsSettings
from gateway.upstream.tls import why
from tailq.errors import TailqError


@dataclass(frozen=True, slots=True, repr=False)  # a key is never shown
class Pem:
    """Content of the files, in PEM form.

    certificate: the gateway's, and those between it and its authority. key: its own, which may be
    in the same file. client_ca: of the authorities that vouch for clients; None: none need to.
    """

    certificate: bytes
    key: bytes
    client_ca: bytes | None = None


def encode(pem: Pem | None) -> list[str | None] | None:
    """As JSON has it."""
    if pem is None:
        return None
    parts = (pem.certificate, pem.key, pem.client_ca)
    return [None if part is None else part.decode("latin-1") for part in parts]


def decode(told: list[str | None] | None) -> Pem | None:
    """What encode() made."""
    if told is None:
        return None
    certificate, key, client_ca = (None if one is None else one.encode("latin-1") for one in told)
    return Pem(certificate or b"", key or b"", client_ca)


def read(settings: ListenTlsSettings) -> Pem:
    """What the files hold. Raises TailqError, naming file and remedy, if it cannot be served."""
    certificate = _content("certificate", settings.certificate)
    key = certificate if settings.key is None else _content("key", settings.key)
    authority = settings.client_ca
    pem = Pem(certificate, key, None if authority is None else _content("client_ca", authority))
    context(pem, settings)
    return pem


def context(pem: Pem, settings: ListenTlsSettings) -> ssl.SSLContext:
    """Of the REST listener: TLS 1.2 at least. settings: to name files in errors, TailqError."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION  # else a client could have us compute for nothing
    made.set_alpn_protocols(["http/1.1"])
    try:
        with _file(pem.certificate) as certificate, _file(pem.key) as key:
            # Without a password of ours, OpenSSL would ask for one at the terminal.
            made.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        raise TailqError(_no_pair(settings, error)) from None
    if pem.client_ca is not None:
        try:
            made.load_verify_locations(cadata=_ascii(pem.client_ca))
        except (ssl.SSLError, ValueError) as error:
            raise TailqError(
                f"listen.tls.client_ca: {settings.client_ca} holds no certificate in PEM form "
                f"({why(error)}); name the file of the authority that signs clients' certificates"
            ) from None
        made.verify_mode = ssl.CERT_REQUIRED
    return made


def flaw(pem: Pem, settings: ListenTlsSettings) -> str | None:
    """Why no client that verifies will accept the certificate now, such as that it has expired.

    It is shown to a client that trusts nothing but it, within memory.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    client.load_verify_locations(cadata=_ascii(pem.certificate))
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there)
    answering = context(pem, settings).wrap_bio(there, back, server_side=True)
    try:
        # Hello; hello and certificate; the client has seen it, and what follows is of no interest.
        for end in (asking, answering, asking):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    except ssl.SSLError as error:
        said = getattr(error, "verify_message", None) or why(error)
        return (
            f"listen.tls.certificate: {settings.certificate} will be refused by clients: {said}; "
            "put one that is valid in its place"
        )
    return None


class Renewable(ssl.SSLContext):
    """Of a listener: each new connection is as `present`, which may be replaced, says then.

    asyncio and uvloop ask a context for nothing but wrap_bio. A context's own authorities could
    only be added to, and a session that the old ones let in could be resumed.
    """

    present: ssl.SSLContext

    def wrap_bio(self, *given: Any, **options: Any) -> ssl.SSLObject:
        """See ssl.SSLContext."""
        return self.present.wrap_bio(*given, **options)


def renewable(present: ssl.SSLContext) -> Renewable:
    """A context that begins as `present`."""
    made = Renewable(ssl.PROTOCOL_TLS_SERVER)
    made.present = present
    return made


def _content(field: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TailqError(
            f"listen.tls.{field}: {path}: cannot be read ({error.strerror}); name a PEM file that "
            "this user may read"
        ) from None


def _no_pair(settings: ListenTlsSettings, error: ssl.SSLError) -> str:
    certificate, key = settings.certificate, settings.key or settings.certificate
    if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
        return (
            f"listen.tls.key: {key} is not the key of the certificate in {certificate}; name two "
            "files that were made together"
        )
    return (
        f"listen.tls.certificate: {certificate} and key {key} are no pair of a certificate and its "
        f"key in PEM form, the key not encrypted ({why(error)})"
    )


def _no_password() -> str:
    raise ssl.SSLError("the key is encrypted")


def _ascii(pem: bytes) -> str:
    """All that matters in it; comments may be in any language."""
    return pem.decode("ascii", "ignore")


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
