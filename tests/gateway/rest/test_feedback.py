"""POST /v1/feedback: who may tell what, and what is answered."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from grpc import StatusCode

from gateway.clients import Clients, keys
from gateway.clients.settings import ClientsSettings
from gateway.live.names import DELIVERED, JUDGED
from gateway.rest import feedback as route
from tests.gateway.classes import answering, classifying
from tests.gateway.client import Client, Got, infer
from tests.gateway.grpc.serving import FAST, call, message, serving
from tests.gateway.running import TABLE, MakeRunning, Running, until
from tests.gateway.stub import Received, Stub, response

NONE = dict.fromkeys(("taken", "repeated", "unknown", "late", "unanswered", "unlabelled"), 0)


@pytest.fixture
async def gateway(make_running: MakeRunning, stub: Stub) -> AsyncIterator[Running]:
    """A gateway before a stub that answers class 3 to one sample."""
    stub.handler = answering(lambda _: (3,))
    async with make_running(classifying(TABLE)) as running:
        yield running


@pytest.fixture
async def client(gateway: Running) -> Client:
    return await gateway.client()


def post(body: bytes | Any, *headers: str) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return infer(*headers, body=content, path="/v1/feedback", tier=None)


def counts(got: Got) -> dict[str, int]:
    assert got.status == 200, got.body
    return {result: count for result, count in got.json["counts"].items() if count}


def sums(gateway: Running, tier: str = "fast") -> tuple[float, float]:
    """Judged by feedback, and delivered."""
    found = {
        spec.name: number
        for spec, labels, number in gateway.gateway.metrics.points()
        if spec in (JUDGED, DELIVERED) and labels == (tier, "feedback")
    }
    judged, delivered = found[JUDGED.name], found[DELIVERED.name]
    assert isinstance(judged, int)
    assert isinstance(delivered, float)
    return judged, delivered


async def test_a_label_is_taken_once(gateway: Running, client: Client) -> None:
    """By the id that the answer told; then it is in the live quality of its tier."""
    right, wrong = [(await client.ask(infer())).headers["tailq-request-id"] for _ in range(2)]
    got = await client.ask(post({"request_id": right, "label": 3}))
    assert got.json == {"counts": {**NONE, "taken": 1}, "not_taken": []}
    got = await client.ask(
        post(
            {
                "feedback": [
                    {"request_id": wrong, "label": [4]},
                    {"request_id": right, "label": 3},
                    {"request_id": "never", "quality": 0.5},
                ]
            }
        )
    )
    assert counts(got) == {"taken": 1, "repeated": 1, "unknown": 1}
    assert [(one["request_id"], one["result"]) for one in got.json["not_taken"]] == [
        (right, "repeated"),
        ("never", "unknown"),
    ]
    assert all(one["why"] for one in got.json["not_taken"])
    assert sums(gateway) == (2, 1.0)


async def test_an_id_of_the_clients_own_is_as_good(gateway: Running, client: Client) -> None:
    """And over gRPC, where it is in the metadata: feedback is REST only."""
    await client.ask(infer("tailq-request-id: mine"))
    async with serving(gateway) as other:
        metadata = (*FAST.items(), ("tailq-request-id", "mine-too"))
        status, _, _, trailers = await call(other.address, message(), *metadata)
    assert (status, trailers["tailq-request-id"]) == (StatusCode.OK, "mine-too")
    told = [{"request_id": name, "label": 3} for name in ("mine", "mine-too")]
    assert counts(await client.ask(post({"feedback": told}))) == {"taken": 2}
    assert sums(gateway) == (2, 2.0)


async def test_a_request_without_an_answer_needs_no_label(
    gateway: Running, client: Client, stub: Stub
) -> None:
    """It failed, so its quality is known, and comes along with what is told of later answers."""

    async def failing(request: Received) -> bytes | None:
        return response("503 Service Unavailable", b"")

    healthy, stub.handler = stub.handler, failing
    for _ in range(2):
        failed = await client.ask(infer("tailq-request-id: failed"))
        assert failed.headers["tailq-outcome"] == "failed"
    got = await client.ask(post({"request_id": "failed", "label": 3}))
    assert counts(got) == {"unanswered": 1}
    assert sums(gateway) == (0, 0.0)
    stub.handler = healthy
    for number in range(120):
        assert (await client.ask(infer(f"tailq-request-id: {number}"))).status == 200
    told = [{"request_id": str(number), "label": 3} for number in range(120)]
    assert counts(await client.ask(post({"feedback": told}))) == {"taken": 120}
    assert sums(gateway) == (121, 120.0)  # of the two 1.4 came along so far, of which one is whole


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"request_id": "a", "quality": NaN}', "not JSON"),
        (b"[]", "the body: "),
        ({}, "request_id: "),
        ({"request_id": "a"}, "either label or quality"),
        ({"request_id": "a", "label": 1, "quality": 1.0}, "either label or quality"),
        ({"request_id": "a", "label": "1"}, "label"),
        ({"request_id": "a", "label": True}, "label"),
        ({"request_id": "a", "label": -1}, "label"),
        ({"request_id": "a", "label": []}, "label"),
        ({"request_id": "a", "quality": 1.1}, "quality: "),
        ({"request_id": "a", "quality": "1"}, "quality: "),
        ({"request_id": "", "label": 1}, "request_id: "),
        ({"request_id": "a b", "label": 1}, "request_id: "),
        ({"request_id": "a", "label": 1, "more": 1}, "more: "),
        ({"feedback": []}, "feedback: "),
        ({"feedback": [{"request_id": "a", "label": 1}] * 1001}, "feedback: "),
        ({"feedback": [{"request_id": "a", "label": 1}, {"label": 1}]}, "feedback.1.request_id: "),
    ],
)
async def test_what_is_malformed_is_refused_whole(client: Client, body: Any, said: str) -> None:
    """With its place; nothing of it is taken."""
    await client.ask(infer("tailq-request-id: a"))
    got = await client.ask(post(body))
    assert got.status == 400
    assert said in got.problem
    assert counts(await client.ask(post({"request_id": "a", "label": 3}))) == {"taken": 1}


async def test_a_body_is_bounded(
    gateway: Running, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bytes, in time, and together with all other bodies; nothing of it stays."""
    service = gateway.gateway.service
    got = await client.ask(post(b" " * ((256 << 10) + 1)))
    assert (got.status, "at most 262144 bytes" in got.problem) == (413, True)
    monkeypatch.setattr(service, "max_buffered", 10)
    got = await (await gateway.client()).ask(post(b" " * 11))
    assert (got.status, got.headers["retry-after"]) == (503, "1")
    monkeypatch.setattr(service, "max_buffered", 1000)
    monkeypatch.setattr(route, "_BODY_S", 0.01)
    slow = await gateway.client()
    await slow.send(post(b" " * 11)[:-5])
    assert (await slow.read()).status == 408
    monkeypatch.setattr(route, "_BODY_S", 600)
    leaver = await gateway.client()
    await leaver.send(post(b" " * 11)[:-5])
    await until(lambda: service.buffered > 0)
    leaver.close()
    await until(lambda: service.buffered == 0)


async def test_a_client_speaks_of_its_own_requests_only(gateway: Running, client: Client) -> None:
    """Where keys are needed, one is needed here; another's id is as unknown as any."""
    shop, desk = keys.new(), keys.new()
    named = {
        name: {"keys": [keys.digest(key.encode())]}
        for name, key in (("shop", shop), ("desk", desk))
    }
    settings = ClientsSettings.model_validate({"anonymous": False, "named": named})
    service = gateway.gateway.service
    service.clients = Clients(settings, service.clients)
    gateway.gateway.rest.reload()
    bearer = {
        name: f"Authorization: Bearer {key}" for name, key in (("shop", shop), ("desk", desk))
    }
    await client.ask(infer(bearer["shop"], "tailq-request-id: a"))
    async with serving(gateway) as other:
        metadata = (("tailq-request-id", "b"), ("authorization", f"Bearer {shop}"))
        status, *_ = await call(other.address, message(), *FAST.items(), *metadata)
    assert status == StatusCode.OK
    told = {"feedback": [{"request_id": name, "label": 3} for name in "ab"]}
    refused = await client.ask(post(told))
    assert (refused.status, refused.headers["www-authenticate"]) == (401, "Bearer")
    assert refused.problem
    assert counts(await client.ask(post(told, bearer["desk"]))) == {"unknown": 2}
    assert counts(await client.ask(post(told, bearer["shop"]))) == {"taken": 2}


async def test_it_can_be_switched_off(make_running: MakeRunning) -> None:
    """Then nothing is remembered, and the route says so."""
    async with make_running(feedback={"remember": 0}) as running:
        assert running.gateway.live.remember is None
        client = await running.client()
        got = await client.ask(post({"request_id": "a", "label": 3}))
        assert (got.status, "[feedback] remember" in got.problem) == (404, True)
