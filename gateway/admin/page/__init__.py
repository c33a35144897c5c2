"""The live page: a few static files, which fetch /v1/live and show it.

It is read once. Its policy lets it load nothing but itself: no other host is asked for anything,
and text that comes with the figures is never run.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_TYPES: Final = {
    "index.html": "text/html",
    "style.css": "text/css",
    "live.js": "text/javascript",
    "picture.js": "text/javascript",
    "words.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def routes() -> Sequence[Route]:
    """The page at `/`, and beside it what it loads."""
    return [_file(name, kind) for name, kind in _TYPES.items()]


def _file(name: str, kind: str) -> Route:
    content = files(__name__).joinpath(name).read_bytes()

    async def serve(_: Request) -> Response:
        return Response(content, media_type=kind, headers=_HEADERS)

    return Route("/" if name == "index.html" else f"/{name}", serve)
