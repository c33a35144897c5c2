"""What operators and their tools may ask of a running gateway."""

from dataclasses import asdict

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin import page
from gateway.admin.guard import Guard
from gateway.admin.operated import Operated
from gateway.admin.watch import Watch
from gateway.live.exposition import exposition


def build(operated: Operated, watch: Watch, loopback: bool) -> Starlette:
    """The application: /metrics, /v1/live, /v1/state, /v1/reload and /healthz, and a page.

    watch: of the same gateway. loopback: only this machine reaches the listener.
    """

    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept")
        content, content_type = exposition(await operated.families(), accept)
        return Response(content, headers={"content-type": content_type})

    async def live(_: Request) -> Response:
        return Response(await watch.said(), media_type="application/json")

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
            Route("/v1/live", live),
            Route("/v1/state", state),
            Route("/v1/reload", reload, methods=["POST"]),
            Route("/healthz", health),
            *page.routes(),
        ],
        middleware=[Middleware(Guard, loopback=loopback)],
    )
