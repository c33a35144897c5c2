"""Keeps other sites' pages, in an operator's browser, from what only operators may see and do.

The listener asks nobody who they are: whoever reaches it may ask. A browser on the operator's
machine reaches it, and runs the pages of any site.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_READS = ("GET", "HEAD")


class Guard:
    """ASGI middleware. loopback: only this machine reaches the listener."""

    def __init__(self, app: ASGIApp, loopback: bool) -> None:
        self._app = app
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        app = self._app
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if self._loopback and not _is_of_this_machine(headers.get("host", "")):
                app = JSONResponse({"error": "ask by address, or as localhost"}, 421)
            elif scope["method"] not in _READS and not _is_same_origin(headers):
                app = JSONResponse({"error": "other sites' pages may change nothing here"}, 403)
        await app(scope, receive, send)


def _is_of_this_machine(host: str) -> bool:
    """Whether a name in `Host` cannot be another site's that was made to lead here.

    DNS rebinding: a page of evil.example is let see what evil.example answers, and evil.example
    may come to mean 127.0.0.1. An address, and localhost, mean what they say.
    """
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    if name == "localhost":
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _is_same_origin(headers: Headers) -> bool:
    """Whether the request is no browser's, or of a page from here.

    Browsers say so in Sec-Fetch-Site, older ones in Origin: https://www.w3.org/TR/fetch-metadata/
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")
