"""TLS of the data listeners: whether what its files hold can be served, and REST's context."""

import ssl
from contextlib import suppress

from gateway.pem import Pem, ascii_of, content, show
from gateway.settings.model import ListenTlsSettings
from gateway.upstream.tls import why
from tailq.errors import TailqError


def read(settings: ListenTlsSettings) -> Pem:
    """What the files hold. Raises TailqError, naming file and remedy, if it cannot be served."""
    certificate = content("listen.tls.certificate", settings.certificate)
    key = certificate if settings.key is None else content("listen.tls.key", settings.key)
    ca = settings.client_ca
    pem = Pem(certificate, key, None if ca is None else content("listen.tls.client_ca", ca))
    context(pem, settings)
    return pem


def context(pem: Pem, settings: ListenTlsSettings) -> ssl.SSLContext:
    """Of the REST listener: TLS 1.2 at least. settings: to name files in errors, TailqError."""
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION  # else a client could have us compute for nothing
    made.set_alpn_protocols(["http/1.1"])
    try:
        show(made, pem)
    except ssl.SSLError as error:
        raise TailqError(_no_pair(settings, error)) from None
    if pem.ca is not None:
        try:
            made.load_verify_locations(cadata=ascii_of(pem.ca))
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
    client.load_verify_locations(cadata=ascii_of(pem.certificate))
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
