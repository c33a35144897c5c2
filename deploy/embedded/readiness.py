"""Asks a running Triton, over HTTP, whether it and its models are ready."""

import http.client
import json
from collections.abc import Sequence

from deploy.embedded.endpoints import Endpoints

_TIMEOUT_S = 5.0


def models_not_ready(endpoints: Endpoints, expected: Sequence[str]) -> dict[str, str] | None:
    """Ask the server at `endpoints` for those of the `expected` models it lacks.

    Returns model name to reason, empty when all are ready; None while the server itself is not.
    """
    try:
        # Metrics start last: a server that cannot bind their port ends after it was ready.
        for endpoint, path in (
            (endpoints.http, "/v2/health/ready"),
            (endpoints.metrics, "/metrics"),
        ):
            status, _ = _call(endpoint, "GET", path)
            if status != 200:
                return None
        _, body = _call(endpoints.http, "POST", "/v2/repository/index")
    except (OSError, http.client.HTTPException):
        return None
    states: dict[str, tuple[str, str]] = {}
    for entry in json.loads(body):
        name, state = str(entry["name"]), str(entry.get("state", ""))
        # One entry a version: a model is as ready as its readiest version.
        if states.get(name, ("", ""))[0] != "READY":
            states[name] = (state, str(entry.get("reason", "")))
    missing = {}
    for name in expected:
        state, reason = states.get(name, ("", "Triton does not list it"))
        if state != "READY":
            missing[name] = reason or f"its state is {state or 'unknown'}"
    return missing


def _call(endpoint: str, method: str, path: str) -> tuple[int, bytes]:
    host, _, port = endpoint.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
