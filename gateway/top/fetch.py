"""What a running gateway says at /v1/live of its admin listener."""

from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from pydantic import TypeAdapter, ValidationError

from gateway.live.view import LiveView
from tailq.errors import TailqError

_PATIENCE_S: Final = 5.0
_GREATEST: Final = 16 * 2**20
_VIEW: Final = TypeAdapter(LiveView)
# No proxy of the environment: an operator's gateway is asked as it is named.
_OPENER: Final = build_opener(ProxyHandler({}))


class NoView(TailqError):
    """The gateway's view cannot be had; the text names the address and the reason."""


def fetch(admin: str) -> bytes:
    """The view as JSON. admin: URL of the listener.

    Errors: NoView, of which the text says what to do.
    """
    if not _is_url(admin):
        raise NoView(f"--admin: {admin!r} is no URL such as http://127.0.0.1:8082")
    url = f"{admin.rstrip('/')}/v1/live"
    try:
        with _OPENER.open(url, timeout=_PATIENCE_S) as answer:
            content: bytes = answer.read(_GREATEST + 1)
    except HTTPError as error:
        error.close()
        raise NoView(f"{url} says {error.code} {error.reason}; {_REMEDY}") from None
    except (OSError, HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise NoView(f"{url} does not answer: {why}; {_REMEDY}") from None
    if len(content) > _GREATEST:
        raise NoView(f"{url} says more than {_GREATEST} bytes; {_REMEDY}")
    return content


def parse(content: bytes) -> LiveView:
    """The opposite of what the gateway does to a view; NoView if it is none."""
    try:
        return _VIEW.validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "the answer"
        raise NoView(f"what /v1/live says is no view: {place}: {first['msg']}; {_REMEDY}") from None


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of the brackets of IPv6, or of the port
        return False


_REMEDY: Final = "name the admin listener of a running gateway by --admin"
