"""The TLS context of connections to Triton: always verified, TLS 1.2 at least."""

import ssl

from gateway.upstream.settings import TlsSettings
from tailq.errors import TailqError


def context(settings: TlsSettings) -> ssl.SSLContext:
    """Raises TailqError where a file is not what it should be, naming the field."""
    try:
        made = ssl.create_default_context(cafile=settings.ca)
    except (ssl.SSLError, OSError) as error:
        raise TailqError(
            f"tls.ca: {settings.ca} holds no certificate in PEM form ({why(error)})"
        ) from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_alpn_protocols(["http/1.1"])
    if settings.certificate is not None:
        _add_own(made, settings)
    return made


def renew(made: ssl.SSLContext, settings: TlsSettings) -> None:
    """Read our own certificate again; connections that are opened from now on show it.

    Raises TailqError, and then the old one is still shown.
    """
    if settings.certificate is not None:
        _add_own(ssl.create_default_context(), settings)  # a broken one leaves `made` as it was
        _add_own(made, settings)


def _add_own(made: ssl.SSLContext, settings: TlsSettings) -> None:
    certificate, key = settings.certificate, settings.key
    assert certificate is not None
    try:
        # Without a password of ours, OpenSSL would ask for one at the terminal.
        made.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, OSError) as error:
        raise TailqError(
            f"tls.certificate: {certificate} and key {key or certificate} are no pair of a "
            f"certificate and its key in PEM form, the key not encrypted ({why(error)})"
        ) from None


def _no_password() -> str:
    raise ssl.SSLError("the key is encrypted")


def why(error: Exception) -> str:
    """What went wrong, in the words that OpenSSL has for it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {error.verify_message}"
    reason = getattr(error, "reason", None)
    if isinstance(error, ssl.SSLError) and reason:
        return str(reason).replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
