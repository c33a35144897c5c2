"""TLS of connections to Triton: always verified, TLS 1.2 at least."""

import ssl

from gateway.pem import Pem, ascii_of, content, show
from gateway.upstream.settings import TlsSettings
from tailq.errors import TailqError


def read(settings: TlsSettings) -> Pem:
    """What the files hold. Raises TailqError, naming file and remedy, if it cannot be used."""
    certificate = key = b""
    if settings.certificate is not None:
        certificate = content("upstream.tls.certificate", settings.certificate)
        key = certificate
    if settings.key is not None:
        key = content("upstream.tls.key", settings.key)
    ca = None if settings.ca is None else content("upstream.tls.ca", settings.ca)
    pem = Pem(certificate, key, ca)
    context(pem, settings)
    return pem


def context(pem: Pem, settings: TlsSettings) -> ssl.SSLContext:
    """Raises TailqError where a file is not what it should be, naming the field."""
    try:
        made = ssl.create_default_context(cadata=None if pem.ca is None else ascii_of(pem.ca))
    except (ssl.SSLError, ValueError) as error:
        raise TailqError(
            f"upstream.tls.ca: {settings.ca} holds no certificate in PEM form ({why(error)}); name "
            "the file of the authority that signs Tritons' certificates"
        ) from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if settings.certificate is None:
        return made
    try:
        show(made, pem)
    except ssl.SSLError as error:
        raise TailqError(
            f"upstream.tls.certificate: {settings.certificate} and key "
            f"{settings.key or settings.certificate} are no pair of a certificate and its key in "
            f"PEM form, the key not encrypted ({why(error)})"
        ) from None
    return made


def why(error: Exception) -> str:
    """What went wrong, in the words that OpenSSL has for it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLError) and reason:
        return str(reason).replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
