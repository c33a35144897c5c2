"""Every route but the hot one, as a FastAPI application; and the hot one too, for other servers."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.responses import Response as HttpResponse
from starlette.exceptions import HTTPException

from gateway import said
from gateway.rest import feedback, openapi, problem
from gateway.rest.exchange import Exchange
from gateway.rest.response import Response, fields
from gateway.rest.shared import Rest
from gateway.rest.tiers import TiersView, view
from gateway.service import VERSION, Service
from gateway.upstream.readiness import Readiness
from tailq.errors import BadRequest

NAME = "tailq-gateway"


def build(rest: Rest, readiness: Readiness, version: str) -> FastAPI:
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
    feedback.add_route(app, service)

    @app.get(
        "/v1/tiers",
        tags=["tiers"],
        summary="What can be asked for, and is promised",
        responses={401: openapi.RESPONSES[401]},
        dependencies=[Depends(_key_needed(service))],
    )
    async def tiers() -> TiersView:
        return view(service.table)

    return app


def _errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> HttpResponse:
        detail = f"{request.method} {request.url.path[:200]}: {error.detail}"
        return _problem(error.status_code, detail, error.headers)

    @app.exception_handler(Exception)  # a mistake of ours; the server logs it
    async def ours(_: Request, __: Exception) -> HttpResponse:
        return _problem(500, "the gateway has failed; see its log")

    @app.exception_handler(BadRequest)
    async def bad(_: Request, error: BadRequest) -> HttpResponse:
        return _http(problem.of(error))


def _http(response: Response) -> HttpResponse:
    raw = HttpResponse(b"".join(response.body), response.status)
    raw.raw_headers = list(fields(response.head))
    return raw


def _key_needed(service: Service) -> Callable[[Request], Awaitable[None]]:
    async def identify(request: Request) -> None:
        if service.clients is not None:
            sent = request.headers.get("authorization")
            service.clients.identify(None if sent is None else sent.encode("latin-1"))

    return identify


def _problem(status: int, detail: str, headers: Any = None) -> HttpResponse:
    return JSONResponse(
        problem.content(status, detail), status, headers=headers, media_type=problem.TYPE
    )


def _unavailable(why: str) -> HttpResponse:
    return _problem(503, why, {"retry-after": str(said.RETRY_AFTER_S)})


def _server_routes(app: FastAPI, readiness: Readiness, version: str) -> None:
    @app.get("/v2", tags=["server"])
    async def server() -> dict[str, Any]:
        return {"name": NAME, "version": version, "extensions": ["binary_tensor_data"]}

    @app.get("/v2/health/live", tags=["server"], response_class=HttpResponse)
    async def live() -> HttpResponse:
        return HttpResponse()

    @app.get(
        "/v2/health/ready",
        tags=["server"],
        responses={503: openapi.RESPONSES[503]},
        response_class=HttpResponse,
    )
    async def ready() -> HttpResponse:
        why = await readiness.not_ready()
        return HttpResponse() if why is None else _unavailable(why)


def _model_routes(app: FastAPI, service: Service, readiness: Readiness) -> None:
    declared: dict[str, Any] = {
        "tags": ["model"],
        "responses": {code: openapi.RESPONSES[code] for code in (401, 404, 503)},
        "dependencies": [Depends(_key_needed(service))],
    }

    @app.get("/v2/models/{model}", **declared)
    @app.get("/v2/models/{model}/versions/{version}", **declared)
    async def metadata(model: str, version: str | None = None) -> HttpResponse:
        service.check(model, version)
        found = await readiness.metadata()
        if found is None:
            return _unavailable("Triton does not tell what the model is like")
        return JSONResponse({**found, "name": service.name, "versions": [VERSION]})

    @app.get("/v2/models/{model}/ready", response_class=HttpResponse, **declared)
    @app.get("/v2/models/{model}/versions/{version}/ready", response_class=HttpResponse, **declared)
    async def model_ready(model: str, version: str | None = None) -> HttpResponse:
        service.check(model, version)
        why = await readiness.not_ready()
        return HttpResponse() if why is None else _unavailable(why)

    @app.get("/v2/models/{model}/config", **declared)
    @app.get("/v2/models/{model}/versions/{version}/config", **declared)
    async def config(model: str, version: str | None = None) -> HttpResponse:
        service.check(model, version)
        found = await readiness.config()
        if found is None:
            return _unavailable("Triton does not tell how the model is configured")
        return JSONResponse({**found, "name": service.name})


def _infer_routes(app: FastAPI, rest: Rest) -> None:
    service = rest.service
    identify = _key_needed(service)
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
            await identify(request)
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
        return _http(response)


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
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = openapi.PROBLEM
        components["securitySchemes"] = openapi.SECURITY_SCHEMES
        app.openapi_schema = schema
    return app.openapi_schema
