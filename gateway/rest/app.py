"""Every route but the hot one, as a FastAPI application; and the hot one too, for other servers."""

import asyncio
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.responses import Response as HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from gateway.rest import openapi, problem
from gateway.rest.exchange import Exchange
from gateway.rest.response import Response, fields
from gateway.rest.shared import Rest
from gateway.rest.tiers import TiersView, view
from gateway.service import VERSION, Service
from gateway.upstream.readiness import Readiness
from tailq.errors import BadRequest

NAME = "tailq-gateway"


def build(rest: Rest, readiness: Readiness, registry: CollectorRegistry, version: str) -> FastAPI:
    """The application. No pages of documentation: they would load scripts from elsewhere."""
    service = rest.service
    app = FastAPI(
        title=NAME, version=version, docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.openapi = lambda: _schema(app)  # type: ignore[method-assign]
    _errors(app)
    _server_routes(app, readiness, version)
    _model_routes(app, service, readiness)
    _infer_routes(app, rest)

    @app.get("/v1/tiers", tags=["tiers"], summary="What can be asked for, and is promised")
    async def tiers() -> TiersView:
        return view(service.table)

    @app.get("/metrics", tags=["operation"], response_class=PlainTextResponse)
    async def metrics() -> HttpResponse:
        return HttpResponse(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return app


def _errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> HttpResponse:
        detail = f"{request.method} {request.url.path[:200]}: {error.detail}"
        return _problem(error.status_code, detail, error.headers)

    @app.exception_handler(BadRequest)
    async def bad(_: Request, error: BadRequest) -> HttpResponse:
        return _problem(problem.status_of(error), str(error))


def _problem(status: int, detail: str, headers: Any = None) -> HttpResponse:
    return JSONResponse(
        problem.content(status, detail), status, headers=headers, media_type=problem.TYPE
    )


def _unavailable(why: str) -> HttpResponse:
    return _problem(503, why, {"retry-after": str(problem.RETRY_AFTER_S)})


def _server_routes(app: FastAPI, readiness: Readiness, version: str) -> None:
    @app.get("/v2", tags=["server"])
    async def server() -> dict[str, Any]:
        return {"name": NAME, "version": version, "extensions": ["binary_tensor_data"]}

    @app.get("/v2/health/live", tags=["server"])
    async def live() -> HttpResponse:
        return HttpResponse()

    @app.get("/v2/health/ready", tags=["server"], responses={503: openapi.RESPONSES[503]})
    async def ready() -> HttpResponse:
        why = await readiness.not_ready()
        return HttpResponse() if why is None else _unavailable(why)


def _model_routes(app: FastAPI, service: Service, readiness: Readiness) -> None:
    missing: dict[int | str, dict[str, Any]] = {
        code: openapi.RESPONSES[code] for code in (404, 503)
    }

    @app.get("/v2/models/{model}", tags=["model"], responses=missing)
    @app.get("/v2/models/{model}/versions/{version}", tags=["model"], responses=missing)
    async def metadata(model: str, version: str | None = None) -> HttpResponse:
        service.check(model, version)
        found = await readiness.metadata()
        if found is None:
            return _unavailable("Triton does not tell what the model is like")
        return JSONResponse({**found, "name": service.name, "versions": [VERSION]})

    @app.get("/v2/models/{model}/ready", tags=["model"], responses=missing)
    @app.get("/v2/models/{model}/versions/{version}/ready", tags=["model"], responses=missing)
    async def model_ready(model: str, version: str | None = None) -> HttpResponse:
        service.check(model, version)
        why = await readiness.not_ready()
        return HttpResponse() if why is None else _unavailable(why)

    @app.get("/v2/models/{model}/config", tags=["model"], responses=missing)
    @app.get("/v2/models/{model}/versions/{version}/config", tags=["model"], responses=missing)
    async def config(model: str, version: str | None = None) -> HttpResponse:
        service.check(model, version)
        found = await readiness.config()
        if found is None:
            return _unavailable("Triton does not tell how the model is configured")
        return JSONResponse({**found, "name": service.name})


def _infer_routes(app: FastAPI, rest: Rest) -> None:
    service = rest.service
    declared: dict[str, Any] = {
        "tags": ["model"],
        "responses": openapi.RESPONSES,
        "openapi_extra": openapi.REQUEST,
        "response_class": HttpResponse,
    }

    @app.post("/v2/models/{model}/infer", summary="Infer", **declared)
    @app.post("/v2/models/{model}/versions/{version}/infer", summary="Infer", **declared)
    async def infer(request: Request, model: str, version: str | None = None) -> HttpResponse:
        # rest.protocol answers this route itself; here is the same for any other ASGI server.
        try:
            service.check(model, version)
        except BadRequest:
            service.dataplane.recorder.refused()
            raise
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        exchange = Exchange(rest, answer.set_result)
        exchange.start(request.headers.raw, service.dataplane.clock.now())
        reading = asyncio.ensure_future(_read(request, exchange, answer))
        try:
            response = await answer
        finally:
            reading.cancel()
            exchange.gone()
        raw = HttpResponse(b"".join(response.body), response.status)
        raw.raw_headers = list(fields(response.head))
        return raw


async def _read(request: Request, exchange: Exchange, answer: "asyncio.Future[Response]") -> None:
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            exchange.gone()
            if not answer.done():  # for nobody; the server drops it
                answer.set_result(problem.response(503, "the client has left"))
            return
        exchange.body(message.get("body", b""))
        if not message.get("more_body", False):
            exchange.end()


def _schema(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = openapi.PROBLEM
        app.openapi_schema = schema
    return app.openapi_schema
