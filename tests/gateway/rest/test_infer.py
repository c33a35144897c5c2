"""Infer requests over real sockets: what reaches Triton, and what comes back."""

import asyncio
import json

import pytest

from gateway.clients import Clients
from gateway.clients.settings import Bounds, ClientsSettings
from tests.gateway.client import Client, infer
from tests.gateway.running import MakeRunning, Running, until
from tests.gateway.stub import REPLY, Received, Stub, answer, ok, response
from tests.tables import promise, table, tier

DEEP = b'{"error":' + b"[" * 100_000  # more than Python's parser goes into


async def test_a_request_is_answered_with_what_was_applied(client: Client) -> None:
    """Tier, variant, outcome, deadline, quality and guarantee are in headers and parameters."""
    got = await client.ask(infer("tailq-request-id: mine"))
    assert got.status == 200
    known = {k: v for k, v in got.headers.items() if k.startswith("tailq-")}
    assert known == {
        "tailq-tier": "fast",
        "tailq-variant": "small",
        "tailq-outcome": "on_time",
        "tailq-deadline-ms": "10000",
        "tailq-expected-quality": "0.91",
        "tailq-guarantee": "profile=0123456789abcdef; quality=0.9; confidence=0.95",
        "tailq-request-id": "mine",
    }
    assert got.headers["server-timing"].startswith("queue;dur=")
    assert "upstream;dur=" in got.headers["server-timing"]
    assert got.json["model_name"] == "fashion"
    assert got.json["parameters"] == {
        "tailq_tier": "fast",
        "tailq_variant": "small",
        "tailq_outcome": "on_time",
        "tailq_deadline_ms": 10000.0,
        "tailq_expected_quality": 0.91,
    }


async def test_triton_gets_the_body_as_it_came(stub: Stub, client: Client) -> None:
    """Only the path changes: body and headers pass, but for those that end here."""
    body = b"{}" + bytes(range(256))
    await client.ask(
        infer(
            "Inference-Header-Content-Length: 2",
            "Content-Type: application/octet-stream",
            "Content-Encoding: gzip",
            "Accept-Encoding: gzip",
            "Authorization: secret",
            "Connection: X-Hop",
            "X-Hop: between us",
            "Cookie: secret",
            "traceparent: 00-1-2-03",
            "X-Tenant: blue",
            body=body,
        )
    )
    (sent,) = stub.received
    assert sent.line == "POST /v2/models/small/infer HTTP/1.1"
    assert sent.body == body
    assert sent.headers == {
        "host": f"127.0.0.1:{stub.port}",
        "content-length": str(len(body)),
        "inference-header-content-length": "2",
        "content-type": "application/octet-stream",
        "content-encoding": "gzip",
        "traceparent": "00-1-2-03",
        "x-tenant": "blue",
    }


@pytest.mark.parametrize("size", [4, 1 << 20])
async def test_tensors_come_back_untouched(stub: Stub, client: Client, size: int) -> None:
    """Of a binary answer only the JSON head is another, and its length says so."""
    head = json.dumps({"model_name": "small", "model_version": "1", "outputs": []}).encode()
    tail = bytes(index % 251 for index in range(size))

    async def binary(request: Received) -> bytes:
        return ok(head + tail, f"Inference-Header-Content-Length: {len(head)}")

    stub.handler = binary
    got = await client.ask(infer())
    cut = int(got.headers["inference-header-content-length"])
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.body[cut:] == tail
    assert json.loads(got.body[:cut])["parameters"]["tailq_variant"] == "small"


async def test_a_large_body_passes(stub: Stub, client: Client) -> None:
    """Megabytes arrive whole, in however many pieces they were read."""
    body = bytes(range(256)) * (1 << 14)
    got = await client.ask(infer(body=body))
    assert got.status == 200
    assert stub.received[0].body == body


async def test_a_chunked_body_passes(stub: Stub, client: Client) -> None:
    """A body in chunks reaches Triton as one with a length."""
    head = infer().partition(b"Content-Length")[0]
    got = await client.ask(
        head
        + b"tailq-tier: fast\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    )
    assert got.status == 200
    assert stub.received[0].body == b"abcdefg"
    assert stub.received[0].headers["content-length"] == "7"


async def test_upstream_connections_are_kept(stub: Stub, client: Client) -> None:
    """One request at a time needs one connection to Triton, however many follow."""
    for _ in range(5):
        await client.ask(infer())
    assert len(stub.infers) == 5
    assert stub.connections == 1


async def test_a_head_that_came_before_is_understood_the_same(stub: Stub, client: Client) -> None:
    """Whole, in two pieces, or two at once: the same head with other bodies is the same request."""
    bodies = [b"one", b"two", b"six", b"ten", b"dry"]
    first, second, third, fourth, fifth = (infer(body=body) for body in bodies)
    got = [await client.ask(first), await client.ask(second)]
    await client.send(third[:-1])
    await until(lambda: len(stub.infers) == 2)
    got.append(await client.ask(third[-1:]))
    got.append(await client.ask(fourth + fifth))
    got.append(await client.read())
    assert [request.body for request in stub.infers] == bodies
    assert {one.status for one in got} == {200}
    ids = {one.headers.pop("tailq-request-id") for one in got}
    assert len(ids) == 5
    same = [{k: v for k, v in one.headers.items() if k.startswith("tailq-")} for one in got]
    assert all(headers == same[0] for headers in same)


async def test_a_mistake_that_came_before_is_still_one(client: Client) -> None:
    """A known head is no way round the tiers."""
    for _ in range(3):
        got = await client.ask(infer(tier="nothing"))
        assert got.status == 400
        assert "gold" in got.problem


async def test_request_ids_are_made_up_and_differ(client: Client) -> None:
    """Without a request id of the client's there is one of ours."""
    first, second = [(await client.ask(infer())).headers["tailq-request-id"] for _ in range(2)]
    assert first
    assert first != second


async def test_a_tier_can_be_asked_for_by_tolerance(client: Client) -> None:
    """The most tolerant tier that is strict enough answers."""
    got = await client.ask(infer("tolerance: 0.15", "objective: response-time", tier=None))
    assert got.headers["tailq-tier"] == "fast"


async def test_the_service_has_a_version(client: Client) -> None:
    """Version 1 is what there is."""
    got = await client.ask(infer(path="/v2/models/fashion/versions/1/infer"))
    assert got.status == 200
    got = await client.ask(infer(path="/v2/models/fashion/versions/2/infer"))
    assert got.status == 404
    assert "'1'" in got.problem


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/v2/models/nothing/infer", "'fashion'"),
        ("/v2/models/small/infer", "variant"),
        ("/v2/models/large/infer", "variant"),
    ],
)
async def test_only_the_service_is_served(client: Client, path: str, says: str) -> None:
    """Unknown models, and variants by their own name, are not found; the service is named."""
    got = await client.ask(infer(path=path))
    assert got.status == 404
    assert says in got.problem
    assert "fashion" in got.problem


async def test_an_encoded_path_is_the_same_path(stub: Stub, client: Client) -> None:
    """What the fast path does not recognise is served by the application, alike."""
    got = await client.ask(infer(path="/v2/models/fash%69on/infer?x=1", body=b"abc"))
    assert got.status == 200
    assert got.headers["tailq-outcome"] == "on_time"
    assert got.json["parameters"]["tailq_variant"] == "small"
    assert stub.received[0].body == b"abc"


async def test_a_late_answer_is_a_504_at_the_deadline(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """Triton is silent: the answer leaves at the deadline and says what was applied."""
    stub.handler = stub.hold
    got = await client.ask(infer("tailq-request-id: mine", tier="tight"))
    assert got.status == 504
    assert "50 ms" in got.problem
    assert got.json["outcome"] == got.headers["tailq-outcome"] == "late"
    assert got.headers["tailq-tier"] == "tight"
    assert got.headers["tailq-deadline-ms"] == "50"
    assert got.headers["tailq-request-id"] == "mine"
    assert gateway.gateway.service.dataplane.outstanding == 1
    stub.release.set()
    await until(lambda: gateway.gateway.service.dataplane.outstanding == 0)
    stub.handler = answer
    assert (await client.ask(infer())).status == 200
    assert stub.connections == 1  # abandoned, not cancelled: the connection is used again


async def test_too_many_in_flight_are_shed(make_running: MakeRunning, stub: Stub) -> None:
    """Beyond the bound the answer is 503 with Retry-After, at once."""
    stub.handler = stub.hold
    async with make_running(admission={"places": 1, "waiting": 0}) as gateway:
        first, second = await gateway.client(), await gateway.client()
        await first.send(infer())
        await until(lambda: gateway.gateway.service.dataplane.outstanding == 1)
        got = await second.ask(infer())
        assert got.status == 503
        assert got.headers["retry-after"] == "1"
        assert got.headers["tailq-outcome"] == "shed"
        assert got.problem


async def test_load_beyond_the_profile_is_best_effort(make_running: MakeRunning) -> None:
    """Outside of a promise's conditions the answer says so and names no quality."""
    tiers = table(tier("fast", 0.1, promise("small", 5.0)))
    async with make_running(tiers) as gateway:
        got = await (await gateway.client()).ask(infer("tailq-deadline-ms: 4000"))
        assert got.headers["tailq-outcome"] == "best_effort"
        assert got.headers["tailq-guarantee"] == "none; reason=deadline"
        assert "tailq-expected-quality" not in got.headers
        assert got.json["parameters"] == {
            "tailq_tier": "fast",
            "tailq_variant": "small",
            "tailq_outcome": "best_effort",
            "tailq_deadline_ms": 4000.0,
        }


async def test_a_refusal_of_tritons_is_a_400_in_our_name(stub: Stub, client: Client) -> None:
    """Wrong shapes and the like are the client's fault; the variant's name is not its business."""

    async def refuse(request: Received) -> bytes:
        return response("400 Bad Request", b"""{"error":"bad shape for model 'small'"}""")

    stub.handler = refuse
    got = await client.ask(infer())
    assert got.status == 400
    assert got.problem == "bad shape for model 'fashion'"
    assert got.headers["tailq-outcome"] == "invalid"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (response("500 Internal Server Error", b'{"error":"stub died"}'), 503),
        (response("503 Service Unavailable", b'{"error":"not now"}'), 503),
        (response("404 Not Found", b'{"error":"unknown model"}'), 503),
        (response("302 Found", b""), 502),
        (b"this is not HTTP\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: x\r\n\r\n", 502),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", 502),
        (ok(b""), 502),
        (ok(b"[]"), 502),
        (ok(REPLY) + b"HTTP/1.1 200 OK\r\nContent-Le", 502),
        (response("500 Internal Server Error", DEEP), 503),
    ],
)
async def test_a_failing_triton_is_a_clean_5xx(
    stub: Stub, gateway: Running, client: Client, sent: bytes, status: int
) -> None:
    """Whatever Triton answers, the client gets a problem; and the next request works."""

    async def fail(request: Received) -> bytes:
        return sent

    stub.handler = fail
    got = await client.ask(infer())
    assert got.status == status
    assert got.problem
    assert got.headers["tailq-outcome"] == "failed"
    assert ("retry-after" in got.headers) == (status == 503)
    stub.handler = answer
    await gateway.gateway.upstreams.probes.look()
    assert (await client.ask(infer())).status == 200
    assert gateway.outcomes() == {"failed": 1, "on_time": 1}


@pytest.mark.parametrize("body", [DEEP, b'{"model_name":'])
async def test_an_answer_whose_json_is_none_is_a_502(
    stub: Stub, client: Client, body: bytes
) -> None:
    """Found out only when it is rewritten, which is for the client to know, too."""

    async def fail(request: Received) -> bytes:
        return ok(body)

    stub.handler = fail
    got = await client.ask(infer())
    assert got.status == 502
    assert "malformed" in got.problem
    assert got.headers["tailq-outcome"] == "failed"
    assert "tailq-guarantee" not in got.headers


async def test_the_servers_own_headers_are_those_of_now(gateway: Running) -> None:
    """The date is another one each second."""
    rest = gateway.gateway.rest
    for date in (b"then", b"now"):
        headers = [(b"date", date), (b"server", b"here")]
        for _ in range(2):
            assert rest.own_lines(headers) == b"date: %s\r\nserver: here\r\n" % date


async def test_what_a_reload_finds_in_flight_says_what_it_was_decided_by(
    stub: Stub, gateway: Running, client: Client
) -> None:
    """And what comes after says nothing of it: each answer has the promise of its own tiers."""
    parts, said = gateway.gateway, ("tailq-expected-quality", "tailq-guarantee")
    stub.handler = stub.hold
    others = [await gateway.client() for _ in range(3)]
    asking = [asyncio.create_task(other.ask(infer())) for other in others]
    await until(lambda: len(stub.infers) == len(asking))
    less = table(*[tier(of.name, 0.1, promise("small", 10.0, 0.5)) for of in parts.table.tiers])
    conditions = less.conditions.model_copy(update={"profile": "f" * 16})
    parts.retable(less.model_copy(update={"conditions": conditions}))
    stub.release.set()
    for before in await asyncio.gather(*asking):
        assert [before.headers[name] for name in said] == [
            "0.91",
            "profile=0123456789abcdef; quality=0.9; confidence=0.95",
        ]
    after = await client.ask(infer())
    assert [after.headers[name] for name in said] == [
        "0.51",
        "profile=ffffffffffffffff; quality=0.5; confidence=0.95",
    ]


async def test_a_mistake_of_ours_is_a_500(
    gateway: Running,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """At once, not a client that hangs; logged, and none of it told to the client."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(gateway.gateway.rest.renderer, "response", fail)
    got = await client.ask(infer())
    assert got.status == 500
    assert "secret" not in got.problem
    assert "secret" in caplog.text
    assert gateway.gateway.service.buffered == 0
    monkeypatch.undo()
    assert (await client.ask(infer())).status == 200


async def test_a_mistake_of_ours_frees_the_clients_place(
    gateway: Running, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However a request ends, it is in flight no longer."""
    parts = gateway.gateway
    parts.service.clients = Clients(ClientsSettings(anonymous=Bounds(max_in_flight=1)))
    parts.rest.reload()

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(parts.service.dataplane, "open", fail)
    assert (await client.ask(infer())).status == 500
    monkeypatch.undo()
    assert (await (await gateway.client()).ask(infer())).status == 200


async def test_an_answer_over_the_limit_is_a_502(make_running: MakeRunning, stub: Stub) -> None:
    """The gateway does not buffer without bound for a server either."""

    async def huge(request: Received) -> bytes:
        return ok(b"x" * 5000)

    stub.handler = huge
    async with make_running(max_reply=4000) as gateway:
        got = await (await gateway.client()).ask(infer())
        assert got.status == 502
        assert "4000" in got.problem


async def test_an_answer_that_breaks_off_is_a_503(stub: Stub, client: Client) -> None:
    """Half an answer is none, and is not asked for again."""

    async def half(request: Received) -> bytes | None:
        if request.number == 1:
            return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        return None

    stub.handler = half
    sending = asyncio.create_task(client.ask(infer()))
    await until(lambda: len(stub.received) == 1)
    await stub.stop()
    got = await sending
    assert got.status == 503
    assert len(stub.received) == 1
    await stub.start()


async def test_a_stale_connection_is_tried_again(stub: Stub, client: Client) -> None:
    """A kept connection that closes without a byte costs the client nothing: once more, new."""

    async def once(request: Received) -> bytes | None:
        return await answer(request) if request.number == 1 else None

    stub.handler = once
    for _ in range(3):
        assert (await client.ask(infer())).status == 200
    assert stub.connections == 3


async def test_a_new_connection_is_not_tried_again(stub: Stub, client: Client) -> None:
    """A Triton that takes requests and drops them gets each of them once."""

    async def drop(request: Received) -> None:
        return None

    stub.handler = drop
    got = await client.ask(infer())
    assert got.status == 503
    assert len(stub.received) == 1


async def test_triton_may_go_and_come_back(
    stub: Stub, gateway: Running, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Without Triton 503s, with it answers again; the log has a line for each change."""
    caplog.set_level("INFO")
    assert (await client.ask(infer())).status == 200
    await stub.stop()
    for _ in range(3):
        got = await client.ask(infer())
        assert got.status == 503
        assert got.headers["retry-after"] == "1"
    await stub.start()
    await gateway.gateway.upstreams.probes.look()
    assert (await client.ask(infer())).status == 200
    said = [record.getMessage() for record in caplog.records if "Triton at" in record.getMessage()]
    assert [line.split(" is ")[1].split(":")[0] for line in said] == ["up", "down", "up"]
