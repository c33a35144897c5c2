"""What operators and their tools may ask of a running gateway."""

from dataclasses import asdict
from typing import Any, Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.live import families
from gateway.live.families import Families
from gateway.reload.reloader import Verdict


class Operated(Protocol):
    """A gateway, of one process or of many, as its operator sees it."""

    async def families(self) -> Families:
        """Every number, as of now."""
        ...

    async def state(self) -> dict[str, Any]:
        """How things stand."""
        ...

    async def reload(self) -> list[Verdict]:
        """Look at the files again, now."""
        ...

    def unwell(self) -> str | None:
        """What is wrong with the gateway's own processes; None: nothing."""
        ...


def build(operated: Operated) -> Starlette:
    """The application: /metrics, /v1/state, /v1/reload and /healthz."""

    async def metrics(_: Request) -> Response:
        content = families.exposition(await operated.families())
        return Response(content, media_type=families.CONTENT_TYPE)

    async def state(_: Request) -> Response:
        return JSONResponse(await operated.state())

    async def reload(_: Request) -> Response:
        verdicts = await operated.reload()
        refused = any(verdict.result == "refused" for verdict in verdicts)
        content = {"files": [asdict(verdict) for verdict in verdicts]}
        return JSONResponse(content, 422 if refused else 200)

    async def health(_: Request) -> Response:
        why = operated.unwell()
        return JSONResponse({"ok": why is None, "why": why}, 200 if why is None else 503)

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/v1/state", state),
            Route("/v1/reload", reload, methods=["POST"]),
            Route("/healthz", health),
        ]
    )
