"""What the OpenAPI document says of the infer route: its headers, bodies and errors."""

from typing import Any, Final

from gateway.ask import MAX_DEADLINE_MS


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": schema,
    }


_STRING: Final = {"type": "string"}
_NUMBER: Final = {"type": "number"}
_BODY: Final = {
    "application/json": {"schema": {"type": "object"}},
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}

ANSWER_HEADERS: Final[dict[str, str]] = {
    "tailq-tier": "the tier that was applied",
    "tailq-variant": "the model that answered",
    "tailq-outcome": "on_time, rescued, best_effort, late, shed, failed or invalid",
    "tailq-deadline-ms": "the deadline that was applied",
    "tailq-expected-quality": "measured share of right answers in time; absent if best effort",
    "tailq-guarantee": "profile, promised quality and confidence, or none and the reason",
    "tailq-request-id": "as sent, or made up",
    "ratelimit-policy": "of clients with a quota: requests in a window, or in flight",
    "ratelimit": "of clients with a quota: what remains",
    "server-timing": "milliseconds in the gateway before Triton, and at Triton",
}


def _response(description: str, content: dict[str, Any]) -> dict[str, Any]:
    headers = {
        name: {"description": text, "schema": _STRING} for name, text in ANSWER_HEADERS.items()
    }
    return {"description": description, "headers": headers, "content": content}


_PROBLEM: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "RFC 9457, and `error` for clients of the inference protocol",
    "required": ["type", "title", "status", "detail", "error"],
    "properties": {
        "type": _STRING,
        "title": _STRING,
        "status": {"type": "integer"},
        "detail": _STRING,
        "error": _STRING,
        "outcome": _STRING,
    },
}

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: _response("The answer: JSON, or JSON followed by raw tensors.", _BODY),
    400: _response("Malformed header, unknown tier, wrong shape or datatype.", _PROBLEM),
    401: _response("No key, or one that nobody has.", _PROBLEM),
    403: _response("A tier or a deadline that the client may not ask for.", _PROBLEM),
    404: _response("No such service or version.", _PROBLEM),
    411: _response("Neither Content-Length nor chunks.", _PROBLEM),
    413: _response("The body is over the limit.", _PROBLEM),
    429: _response("Over the client's quota: see Retry-After.", _PROBLEM),
    502: _response("Triton's answer is none.", _PROBLEM),
    503: _response("Shed, or no variant can be asked: see Retry-After.", _PROBLEM),
    504: _response("No answer by the deadline.", _PROBLEM),
}

# A key is needed where the gateway has been told so.
SECURITY_SCHEMES: Final[dict[str, Any]] = {"key": {"type": "http", "scheme": "bearer"}}

REQUEST: Final[dict[str, Any]] = {
    "security": [{}, {"key": []}],
    "parameters": [
        _header("tailq-tier", "a tier by name", _STRING),
        _header(
            "tolerance",
            "instead of a tier: the relative loss of quality that is accepted",
            {**_NUMBER, "minimum": 0, "maximum": 1},
        ),
        _header("objective", "with tolerance", {**_STRING, "enum": ["response-time", "cost"]}),
        _header(
            "tailq-deadline-ms",
            "milliseconds from the request's arrival; can only tighten the tier's deadline",
            {**_NUMBER, "exclusiveMinimum": 0, "maximum": MAX_DEADLINE_MS},
        ),
        _header("tailq-request-id", "1 to 128 printable characters, echoed", _STRING),
        _header("traceparent", "W3C trace context, passed on", _STRING),
        _header(
            "Inference-Header-Content-Length",
            "binary extension: bytes of the JSON part of the body",
            {"type": "integer", "minimum": 0},
        ),
    ],
    "requestBody": {"required": True, "content": _BODY},
}
