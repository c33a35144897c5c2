"""Every route but the hot one."""

import asyncio
from typing import Any

import pytest

from tests.gateway.client import Client, get
from tests.gateway.running import Running
from tests.gateway.stub import Received, Stub, answer, ok, response


async def test_the_server_names_itself(client: Client) -> None:
    """Name, version and the extension that clients rely on."""
    got = await client.ask(get("/v2"))
    assert got.json["name"] == "tailq-gateway"
    assert got.json["extensions"] == ["binary_tensor_data"]


async def test_it_is_live_without_triton(stub: Stub, client: Client) -> None:
    """Live is about this process, ready about what it can serve."""
    await stub.stop()
    assert (await client.ask(get("/v2/health/live"))).status == 200
    for path in ("/v2/health/ready", "/v2/models/fashion/ready", "/v2/models/fashion"):
        got = await client.ask(get(path))
        assert got.status == 503
        assert got.headers["retry-after"] == "1"
        assert "Triton" in got.problem


async def test_it_is_ready_when_triton_serves_every_variant(stub: Stub, client: Client) -> None:
    """Triton's own readiness and that of each variant that a plan uses are asked for."""
    assert (await client.ask(get("/v2/health/ready"))).status == 200
    assert {request.path for request in stub.received} == {
        "/v2/health/ready",
        "/v2/models/small/ready",
        "/v2/models/large/ready",
    }


async def test_it_is_not_ready_without_a_variant(stub: Stub, client: Client) -> None:
    """A variant that is not loaded is named."""

    async def without(request: Received) -> bytes | None:
        if request.path == "/v2/models/large/ready":
            return response("400 Bad Request", b"")
        return await answer(request)

    stub.handler = without
    got = await client.ask(get("/v2/models/fashion/ready"))
    assert got.status == 503
    assert got.problem == "Triton does not serve: large"


async def test_readiness_is_asked_for_once_by_many(stub: Stub, gateway: Running) -> None:
    """A crowd of probes is one question to Triton."""
    clients = [await gateway.client() for _ in range(10)]
    got = await asyncio.gather(*(one.ask(get("/v2/health/ready")) for one in clients))
    assert {one.status for one in got} == {200}
    assert len(stub.received) == 3


@pytest.mark.parametrize("path", ["/v2/models/fashion", "/v2/models/fashion/versions/1"])
async def test_metadata_is_the_references_in_the_services_name(client: Client, path: str) -> None:
    """Inputs and outputs are Triton's, name and versions are ours."""
    got = await client.ask(get(path))
    assert got.json == {"name": "fashion", "versions": ["1"], "platform": "stub"}


async def test_the_configuration_is_the_references(stub: Stub, client: Client) -> None:
    """Clients that read the configuration find one."""

    async def configured(request: Received) -> bytes | None:
        assert request.path == "/v2/models/large/config"
        return ok(b'{"name":"large","max_batch_size":32}')

    stub.handler = configured
    got = await client.ask(get("/v2/models/fashion/config"))
    assert got.json == {"name": "fashion", "max_batch_size": 32}


@pytest.mark.parametrize("sent", [ok(b"nonsense"), ok(b"[]"), response("500 Oh", b"")])
async def test_metadata_that_is_none_is_a_503(stub: Stub, client: Client, sent: bytes) -> None:
    """What Triton does not tell is not made up."""

    async def strange(request: Received) -> bytes:
        return sent

    stub.handler = strange
    assert (await client.ask(get("/v2/models/fashion"))).status == 503


@pytest.mark.parametrize(
    "path",
    ["/v2/models/nothing", "/v2/models/large/ready", "/v2/models/fashion/versions/2", "/nothing"],
)
async def test_what_is_not_there_is_a_problem(client: Client, path: str) -> None:
    """Unknown models, variants and routes: 404 as problem+json."""
    got = await client.ask(get(path))
    assert got.status == 404
    assert got.problem


async def test_a_mistake_of_ours_is_a_problem(
    gateway: Running,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """500 as problem+json; logged with its traceback, and none of it told to the client."""

    async def fail() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(gateway.gateway.readiness, "metadata", fail)
    got = await client.ask(get("/v2/models/fashion"))
    assert got.status == 500
    assert "secret" not in got.problem
    assert "secret" in caplog.text


async def test_a_wrong_method_is_a_problem(client: Client) -> None:
    """405 as problem+json, with the methods that are."""
    got = await client.ask(get("/v2/models/fashion/infer"))
    assert got.status == 405
    assert got.problem
    assert got.headers["allow"] == "POST"


async def test_the_tiers_are_listed(client: Client) -> None:
    """Clients find the tiers and what each promises, in milliseconds."""
    content: dict[str, Any] = (await client.ask(get("/v1/tiers"))).json
    assert [tier["name"] for tier in content["tiers"]] == ["gold", "fast", "tight"]
    fast = content["tiers"][1]
    assert fast["deadline_ms"] == 10_000
    assert fast["default"] is False
    assert (fast["priority"], fast["otherwise"]) == (1, "best_effort")
    assert fast["promises"][0]["deadline_ms"] == 5000
    assert fast["promises"][0]["quality"] == 0.9
    assert fast["promises"][0]["plan"] == fast["promises"][0]["variants"][0]
    assert content["metric"] == "top-1"
    assert content["not_offered"] == []
    assert content["confidence"] == 0.95


async def test_the_description_has_the_headers_of_the_infer_route(client: Client) -> None:
    """OpenAPI tells what may be sent and what comes back; there is no page that loads scripts."""
    content: dict[str, Any] = (await client.ask(get("/openapi.json"))).json
    post = content["paths"]["/v2/models/{model}/infer"]["post"]
    assert "tailq-tier" in {parameter["name"] for parameter in post["parameters"]}
    assert "tailq-guarantee" in post["responses"]["200"]["headers"]
    assert "application/problem+json" in post["responses"]["504"]["content"]
    assert "Problem" in content["components"]["schemas"]
    assert (await client.ask(get("/docs"))).status == 404
