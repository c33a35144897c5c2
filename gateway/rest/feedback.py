"""POST /v1/feedback: what is right, told by clients once they know."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, Self

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.responses import Response as HttpResponse
from pydantic import BaseModel, ConfigDict, Field, Strict, ValidationError, model_validator
from pydantic_core import from_json
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gateway.errors import TooLarge
from gateway.live.feedback import RESULTS, Result, Told
from gateway.rest import openapi
from gateway.service import Service
from tailq.errors import BadRequest

_PATH: Final = "/v1/feedback"
_MOST: Final = 1000  # items of one request
_MOST_BYTES: Final = 256 << 10  # five milliseconds' worth, were it labels only
_BODY_S: Final = 10.0

_WHY: Final[dict[Result, str]] = {
    "repeated": "it was told before",
    "unknown": "no such request of yours is remembered at this gateway",
    "late": "it is not remembered any more, or was held to no promise",
    "unanswered": "it had no answer in time; its quality was known to be 0",
    "unlabelled": "its answer is no class, or one for each of another number of samples; "
    "tell its quality instead",
}

Label = Annotated[int, Strict(), Field(ge=0, lt=1 << 31)]


class Feedback(BaseModel):
    """What is right of one request: `label` where its answer is a class, otherwise `quality`."""

    model_config = ConfigDict(extra="forbid")

    request_id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,128}$")] = Field(
        description="the `tailq-request-id` of its answer"
    )
    label: Label | Annotated[list[Label], Field(min_length=1)] | None = Field(
        default=None, description="the right class; of a batch one for each sample"
    )
    quality: Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None, description="how good the answer is, in the service's metric"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.label is None) == (self.quality is None):
            raise ValueError("must have either label or quality")
        return self


class FeedbackList(BaseModel):
    """Several at once."""

    model_config = ConfigDict(extra="forbid")

    feedback: Annotated[list[Feedback], Field(min_length=1, max_length=_MOST)]


class NotTaken(BaseModel):
    """Feedback that does not count."""

    request_id: str
    result: str
    why: str


class FeedbackResults(BaseModel):
    """What became of it. counts: by result."""

    counts: dict[str, int] = Field(description=", ".join(RESULTS))
    not_taken: list[NotTaken]


def add_route(app: FastAPI, service: Service) -> None:
    """Let `app` take feedback."""
    responses: dict[int | str, dict[str, Any]] = {
        400: {**openapi.RESPONSES[400], "description": "Not feedback: says which, and why."},
        401: openapi.RESPONSES[401],
        404: {**openapi.RESPONSES[404], "description": "No feedback is taken here."},
        408: {**openapi.RESPONSES[400], "description": "The body does not come."},
        413: openapi.RESPONSES[413],
        503: {**openapi.RESPONSES[503], "description": "Too many bodies at once."},
    }

    @app.post(
        _PATH,
        tags=["tiers"],
        summary="Tell what was right",
        response_model=FeedbackResults,
        responses=responses,
        openapi_extra=_request(),
    )
    async def feedback(request: Request) -> HttpResponse:
        owner = b""
        if service.clients is not None:
            sent = request.headers.get("authorization")
            key = None if sent is None else sent.encode("latin-1")
            owner = service.clients.identify(key).owner
        taker = service.feedback
        if taker is None:
            raise HTTPException(404, "no feedback is taken here ([feedback] remember = 0)")
        try:
            given = _parse(await _body(request, service))
        except ClientDisconnect:
            return HttpResponse()  # for nobody
        results = await taker.take([_told(one, owner) for one in given])
        return JSONResponse(_said(given, results))


def _request() -> dict[str, Any]:
    """What the OpenAPI document says of it: FastAPI does not see the body, which is bounded."""
    one = Feedback.model_json_schema()
    several = FeedbackList.model_json_schema()
    del several["$defs"]
    several["properties"]["feedback"]["items"] = one
    content = {"application/json": {"schema": {"anyOf": [one, several]}}}
    return {
        "security": [{}, {"key": []}],
        "requestBody": {"required": True, "content": content},
    }


async def _body(request: Request, service: Service) -> bytes:
    """Raises TooLarge; HTTPException if there is no room or no end."""
    pieces: list[bytes] = []
    held = 0
    try:
        async with asyncio.timeout(_BODY_S):
            async for piece in request.stream():
                held += len(piece)
                service.buffered += len(piece)
                if held > _MOST_BYTES:
                    raise TooLarge(f"feedback is at most {_MOST_BYTES} bytes at once")
                if service.buffered > service.max_buffered:
                    text = "the gateway holds as many bytes of requests as it may; try again"
                    raise HTTPException(503, text, {"retry-after": "1"})
                pieces.append(piece)
    except TimeoutError:
        raise HTTPException(408, f"the body has not come within {_BODY_S:g} s") from None
    finally:
        service.buffered -= held
    return b"".join(pieces)


def _parse(body: bytes) -> list[Feedback]:
    """Raises BadRequest, naming the place of the first mistake."""
    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}") from None
    try:
        if isinstance(content, dict) and "feedback" in content:
            return FeedbackList.model_validate(content).feedback
        return [Feedback.model_validate(content)]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"][:3])
        said = first["msg"].removeprefix("Value error, ")
        raise BadRequest(f"{place[:100] or 'the body'}: {said}") from None


def _told(one: Feedback, owner: bytes) -> Told:
    label = one.label
    labels = None if label is None else tuple(label) if isinstance(label, list) else (label,)
    return Told(one.request_id.encode(), labels, one.quality, owner)


def _said(given: Sequence[Feedback], results: Sequence[Result]) -> dict[str, Any]:
    return {
        "counts": {result: results.count(result) for result in RESULTS},
        "not_taken": [
            {"request_id": one.request_id, "result": result, "why": _WHY[result]}
            for one, result in zip(given, results, strict=True)
            if result != "taken"
        ],
    }
