"""Clients with keys over HTTP: who may ask, for what, and how often."""

import json

from gateway.clients import Clients, keys
from gateway.clients.settings import ClientsSettings
from tests.gateway.client import Client, get, infer
from tests.gateway.running import Running, until
from tests.gateway.stub import Stub

KEY = keys.new()
BEARER = f"Authorization: Bearer {KEY}"


def settle(gateway: Running, anonymous: object = False, **bounds: object) -> Clients:
    """Let `shop`, with these bounds, be the gateway's only client with a key."""
    shop = {"keys": [keys.digest(KEY.encode())], **bounds}
    settings = ClientsSettings.model_validate({"anonymous": anonymous, "named": {"shop": shop}})
    service = gateway.gateway.service
    clients = service.clients = Clients(settings, service.clients)
    gateway.gateway.rest.reload()
    return clients


async def test_without_a_key_there_is_no_answer(
    gateway: Running, client: Client, stub: Stub
) -> None:
    """401 on every route that tells of the service, and how to send a key; health stays open."""
    settle(gateway)
    for request in (
        infer(),
        infer(),
        infer("Authorization: Bearer tailq_stolen"),
        infer(path="/v2/models/fash%69on/infer"),
        infer(path="/v2/models/other/infer"),
        get("/v2/models/fashion"),
        get("/v2/models/fashion/ready"),
        get("/v2/models/fashion/config"),
        get("/v1/tiers"),
    ):
        client = await gateway.client()
        got = await client.ask(request)
        assert got.status == 401
        assert got.headers["www-authenticate"] == "Bearer"
        assert "stolen" not in got.problem
    assert (await client.ask(get("/v2/health/live"))).status == 200
    assert not stub.infers


async def test_a_key_opens_and_stays_here(gateway: Running, client: Client, stub: Stub) -> None:
    """The first time, again by a known head, and by the application; Triton never sees it."""
    clients = settle(gateway)
    for request in [infer(BEARER)] * 4 + [infer(BEARER, path="/v2/models/fash%69on/infer")]:
        got = await client.ask(request)
        assert got.status == 200
        assert not [name for name in got.headers if name.startswith("ratelimit")]
    assert [one.headers.get("authorization") for one in stub.infers] == [None] * 5
    (shop,) = clients
    assert (shop.standing.admitted, shop.standing.in_flight) == (5, 0)
    assert (await client.ask(get("/v2/models/fashion"))).status == 401


async def test_a_revoked_key_opens_nothing(gateway: Running, client: Client) -> None:
    """A head that is known from before is no way round a reload."""
    settle(gateway)
    for _ in range(4):
        assert (await client.ask(infer(BEARER))).status == 200
    gateway.gateway.service.clients = Clients(
        ClientsSettings(anonymous=False), gateway.gateway.service.clients
    )
    gateway.gateway.rest.reload()
    assert (await client.ask(infer(BEARER))).status == 401


async def test_what_a_client_may_not_ask_for_is_a_403(gateway: Running, client: Client) -> None:
    """Another tier, or a deadline that is too tight; the refusal names what is allowed."""
    settle(gateway, tiers=["fast"], min_deadline_ms=100, max_deadline_ms=6000)
    got = await client.ask(infer(BEARER, tier="gold"))
    assert (got.status, "ask for one of: fast" in got.problem) == (403, True)
    got = await client.ask(infer(BEARER, "tailq-deadline-ms: 99"))
    assert (got.status, "100 ms or more" in got.problem) == (403, True)
    got = await client.ask(infer(BEARER))
    assert (got.status, got.headers["tailq-deadline-ms"]) == (200, "6000")
    assert (await client.ask(infer(BEARER, tier="nothing"))).status == 400


async def test_a_quota_is_told_and_kept(gateway: Running, client: Client) -> None:
    """Each answer says what remains; beyond it 429 says when to come again."""
    settle(gateway, quota={"requests": 3, "window_s": 3600})
    for remaining in (2, 1, 0):
        got = await client.ask(infer(BEARER))
        assert got.status == 200
        assert got.headers["ratelimit-policy"] == '"requests";q=3;w=3600'
        assert got.headers["ratelimit"].startswith(f'"requests";r={remaining};t=')
    got = await client.ask(infer(BEARER))
    assert got.status == 429
    assert "quota of 3 requests in 3600 s" in got.problem
    assert got.json["type"].endswith("#quota-exceeded")
    assert got.json["violated-policies"] == ["requests"]
    assert got.headers["ratelimit"] == f'"requests";r=0;t={got.headers["retry-after"]}'
    assert 1000 < int(got.headers["retry-after"]) <= 1200
    assert gateway.outcomes() == {"on_time": 3, "invalid": 1}


async def test_in_flight_is_bounded_and_given_back(
    gateway: Running, client: Client, stub: Stub
) -> None:
    """Whatever the end: answered, late, left, or at fault in its body."""
    clients = settle(gateway, max_in_flight=1)
    (shop,) = clients
    stub.handler = stub.hold
    leaver = await gateway.client()
    await leaver.send(infer(BEARER))
    await until(lambda: shop.standing.in_flight == 1)
    got = await client.ask(infer(BEARER))
    assert (got.status, got.headers["retry-after"]) == (429, "1")
    assert got.json["violated-policies"] == ["in-flight"]
    assert got.headers["ratelimit-policy"] == '"in-flight";q=1;qu="concurrent-requests"'
    leaver.close()
    await until(lambda: shop.standing.in_flight == 0)
    assert (await client.ask(infer(BEARER, tier="tight"))).status == 504
    assert shop.standing.in_flight == 0
    head = infer(BEARER).replace(b"Content-Length: 2", b"Transfer-Encoding: chunked")[:-6]
    wrong = head + b"\r\nInference-Header-Content-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert (await client.ask(wrong)).status == 400
    assert shop.standing.in_flight == 0
    stub.release.set()
    assert (await client.ask(infer(BEARER))).status == 200
    assert shop.standing.in_flight == 0
    assert shop.standing.admitted == 4


async def test_anonymous_without_bounds_costs_nothing(gateway: Running, client: Client) -> None:
    """No account is kept, and no field is added."""
    clients = settle(gateway, anonymous=True)
    got = await client.ask(infer())
    assert got.status == 200
    assert not [name for name in got.headers if name.startswith("ratelimit")]
    assert all(one.standing.admitted == 0 for one in clients)


async def test_the_document_declares_what_may_come(client: Client) -> None:
    """401, 403 and 429 with the others, and how a key is sent."""
    document = json.loads((await client.ask(get("/openapi.json"))).body)
    route = document["paths"]["/v2/models/{model}/infer"]["post"]
    assert {"401", "403", "429", "503", "504"} <= set(route["responses"])
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
