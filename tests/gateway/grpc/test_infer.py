"""ModelInfer, by unmodified clients, in front of a stub."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as client
from grpc import aio
from tritonclient.utils import InferenceServerException

from gateway.clients import Clients
from gateway.clients.keys import digest
from gateway.clients.settings import Bounds, ClientSettings, ClientsSettings, QuotaSettings
from tests.gateway.grpc.serving import FAST, IMAGE, INFER, Serving, call, message, serving, tensor
from tests.gateway.running import MakeRunning, until
from tests.gateway.stub import Received, Stub, ok, response

Code = grpc.StatusCode
FAST_TIER = ("tailq-tier", "fast")


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
async def test_the_sync_client_gets_its_answer(
    echoing: Stub, served: Serving, sync: client.InferenceServerClient, compression: str | None
) -> None:
    """Tensors come back, in the service's name, with what became of the request."""
    result = await asyncio.to_thread(
        sync.infer,
        "fashion",
        [tensor()],
        headers=FAST,
        request_id="mine",
        compression_algorithm=compression,
    )
    assert np.array_equal(result.as_numpy("images"), IMAGE)
    said = result.get_response()
    assert (said.model_name, said.model_version, said.id) == ("fashion", "1", "mine")
    assert said.parameters["tailq_tier"].string_param == "fast"
    assert said.parameters["tailq_variant"].string_param == "small"
    assert said.parameters["tailq_outcome"].string_param == "on_time"
    assert said.parameters["tailq_deadline_ms"].double_param == 10_000
    assert 0 < said.parameters["tailq_expected_quality"].double_param <= 1
    assert echoing.infers[0].path == "/v2/models/small/infer"
    assert served.running.outcomes() == {"on_time": 1}


@pytest.mark.parametrize("compression", [None, "gzip", "deflate"])
async def test_the_aio_client_gets_its_answer(
    echoing: Stub, aio: Any, compression: str | None
) -> None:
    """The same for tritonclient.grpc.aio, and for any number at once."""
    arrays = [np.full((1, 3), number, np.float32) for number in range(20)]
    results = await asyncio.gather(
        *(
            aio.infer("fashion", [tensor(one)], headers=FAST, compression_algorithm=compression)
            for one in arrays
        )
    )
    for one, result in zip(arrays, results, strict=True):
        assert np.array_equal(result.as_numpy("images"), one)


async def test_callbacks_of_the_sync_client_are_called(
    echoing: Stub, sync: client.InferenceServerClient
) -> None:
    """async_infer, which tritonclient has instead of a loop."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()

    def ended(result: Any, error: Any) -> None:
        loop.call_soon_threadsafe(done.set_result, (result, error))

    sync.async_infer("fashion", [tensor()], ended, headers=FAST)
    result, error = await done
    assert error is None
    assert np.array_equal(result.as_numpy("images"), IMAGE)


@pytest.mark.parametrize("compression", [None, "gzip"])
async def test_large_messages_pass(echoing: Stub, aio: Any, compression: str | None) -> None:
    """Far beyond the 4 MiB that gRPC has for a limit by itself."""
    large = np.random.default_rng(0).random((20 << 20) // 8)
    result = await aio.infer(
        "fashion",
        [tensor(large, datatype="FP64")],
        headers=FAST,
        compression_algorithm=compression,
    )
    assert np.array_equal(result.as_numpy("images"), large)


async def test_messages_over_the_limit_are_refused(
    echoing: Stub, make_running: MakeRunning
) -> None:
    """RESOURCE_EXHAUSTED, compressed or not, by gRPC itself; counted as the request's mistake."""
    async with make_running(max_body=1 << 20) as running, serving(running) as served:
        under, over = bytes(1 << 19), bytes(1 << 21)
        for compression in (None, grpc.Compression.Gzip, grpc.Compression.Deflate):
            for content, code in ((under, Code.OK), (over, Code.RESOURCE_EXHAUSTED)):
                data = message(np.frombuffer(content, np.float32))
                status, text, _, _ = await call(
                    served.address, data, FAST_TIER, compression=compression
                )
                assert status is code, text
        assert running.outcomes() == {"on_time": 3, "invalid": 3}
        await until(served.is_empty)


async def test_trailers_say_what_http_headers_say(echoing: Stub, served: Serving) -> None:
    """Tier, variant, outcome, deadline, guarantee, request id, timing."""
    _, _, _, trailers = await call(
        served.address, message(), FAST_TIER, ("tailq-request-id", "mine")
    )
    assert trailers.pop("server-timing").startswith("queue;dur=")
    assert trailers == {
        "tailq-tier": "fast",
        "tailq-variant": "small",
        "tailq-outcome": "on_time",
        "tailq-deadline-ms": "10000",
        "tailq-expected-quality": "0.91",
        "tailq-guarantee": "profile=0123456789abcdef; quality=0.9; confidence=0.95",
        "tailq-request-id": "mine",
    }


async def test_metadata_go_on_to_triton(echoing: Stub, served: Serving) -> None:
    """Trace context and the client's own; not credentials, ours, or what would break out."""
    await call(
        served.address,
        message(),
        FAST_TIER,
        ("traceparent", "00-1-2-03"),
        ("x-tenant", "blue"),
        ("authorization", "Bearer secret"),
        ("content-length", "5"),
        ("content-encoding", "gzip"),
        ("transfer-encoding", "chunked"),
        ("x-binary-bin", b"a\r\nhost: evil"),
    )
    headers = echoing.infers[0].headers
    assert headers["traceparent"] == "00-1-2-03"
    assert headers["x-tenant"] == "blue"
    assert headers["content-type"] == "application/octet-stream"
    assert not {"authorization", "tailq-tier", "content-encoding", "transfer-encoding"} & set(
        headers
    )
    assert "evil" not in str(headers)


async def test_typed_contents_reach_triton_raw(echoing: Stub, served: Serving) -> None:
    """Triton is sent bytes, whichever form the client chose."""
    request = client.service_pb2.ModelInferRequest(model_name="fashion")
    one = request.inputs.add(name="x", datatype="INT16", shape=[2])
    one.contents.int_contents.extend([1, -2])
    _, _, content, _ = await call(served.address, request.SerializeToString(), FAST_TIER)
    result = client.InferResult(client.service_pb2.ModelInferResponse.FromString(content))
    assert result.as_numpy("x").tolist() == [1, -2]


async def test_recurring_requests_are_each_their_own(echoing: Stub, aio: Any) -> None:
    """What is remembered of a request is its head, never its tensors or its id."""
    for number in range(6):
        one = np.full((1, 3), number, np.float32)
        name = f"id-{number % 2}"
        result = await aio.infer("fashion", [tensor(one)], headers=FAST, request_id=name)
        assert np.array_equal(result.as_numpy("images"), one)
        assert result.get_response().id == name
    narrow = await aio.infer("fashion", [tensor(IMAGE[:1])], headers=FAST)
    assert np.array_equal(narrow.as_numpy("images"), IMAGE[:1])


@pytest.mark.parametrize(
    ("model", "metadata", "code", "says"),
    [
        ("fashion", {"tailq-tier": "silver"}, Code.INVALID_ARGUMENT, "silver.*gold.*fast"),
        ("fashion", {}, Code.INVALID_ARGUMENT, "gold.*fast"),
        ("fashion", {"tolerance": "2"}, Code.INVALID_ARGUMENT, "tolerance"),
        ("fashion", {**FAST, "tailq-deadline-ms": "soon"}, Code.INVALID_ARGUMENT, "deadline-ms"),
        ("fashion", {**FAST, "tailq-request-id": "a b"}, Code.INVALID_ARGUMENT, "request-id"),
        ("small", FAST, Code.NOT_FOUND, "'small' is a variant.*'fashion'"),
        ("nothing", FAST, Code.NOT_FOUND, "'fashion'"),
    ],
)
async def test_mistakes_are_explained(
    served: Serving, model: str, metadata: dict[str, str], code: grpc.StatusCode, says: str
) -> None:
    """The code of the kind of mistake, and a text that names it and the remedy."""
    status, text, _, _ = await call(served.address, message(model=model), *metadata.items())
    assert status is code
    assert re.search(says, text)
    assert served.running.outcomes() == {"invalid": 1}


async def test_what_is_no_request_is_refused(served: Serving) -> None:
    """Bytes that are no protobuf, and protobuf that is no request."""
    status, text, _, trailers = await call(served.address, b"\xff\xff", FAST_TIER)
    assert status is Code.INVALID_ARGUMENT
    assert "ModelInferRequest" in text
    assert trailers["tailq-request-id"]


# What a client has written stands in Triton's text, and must not pass for Triton's own words.
SPOOFED = response("400 Bad Request", b'{"error":"no input \'Request for unknown model\'"}')
NO_REGION = response(
    "404 Not Found", b'{"error":"Unable to find shared memory region: \'nowhere\'"}'
)
# More than a client takes, as the text of a status.
LONG = b'{"error":"%s"}' % ("\N{GRINNING FACE}" * 3000).encode()
REFUSAL = response("400 Bad Request", b"{\"error\":\"input 'x' of 'small' is odd\"}")


@pytest.mark.parametrize(
    ("sent", "code", "says"),
    [
        (REFUSAL, Code.INVALID_ARGUMENT, "input 'x' of 'fashion' is odd"),
        (SPOOFED, Code.INVALID_ARGUMENT, "unknown model"),
        (NO_REGION, Code.INVALID_ARGUMENT, "nowhere"),
        (response("503 Busy", b"{}"), Code.UNAVAILABLE, "unavailable"),
        (None, Code.UNAVAILABLE, "lost"),
        (b"nonsense\r\n\r\n", Code.INTERNAL, "broken"),
        (ok(b"no JSON"), Code.INTERNAL, "no answer"),
        (ok(b'{"outputs":[{}]}'), Code.INTERNAL, "no answer"),
        (ok(b'{"outputs":' + b"[" * 100_000), Code.INTERNAL, "no answer"),
        (response("400 Bad Request", b'{"error":"half \\ud800"}'), Code.INVALID_ARGUMENT, "half ?"),
        (response("400 Bad Request", LONG), Code.INVALID_ARGUMENT, "\N{GRINNING FACE}" * 255),
    ],
)
async def test_tritons_failures_are_told_apart(
    stub: Stub, served: Serving, sent: bytes | None, code: grpc.StatusCode, says: str
) -> None:
    """At fault: the request, a Triton that cannot, a Triton that sends what is no answer."""

    async def fail(request: Received) -> bytes | None:
        return sent

    stub.handler = fail
    status, text, _, trailers = await call(served.address, message(), FAST_TIER)
    assert status is code
    assert says in text
    assert ("retry-after" in trailers) == (code is Code.UNAVAILABLE)
    assert trailers["tailq-variant"] == "small"
    failed = code in (Code.UNAVAILABLE, Code.INTERNAL)
    assert trailers["tailq-outcome"] == ("failed" if failed else "invalid")
    assert "tailq-guarantee" not in trailers


async def test_the_deadline_is_kept(stub: Stub, served: Serving) -> None:
    """DEADLINE_EXCEEDED with our text, whatever Triton does."""
    stub.handler = stub.hold
    status, text, _, trailers = await call(served.address, message(), ("tailq-tier", "tight"))
    assert status is Code.DEADLINE_EXCEEDED
    assert text == "no answer within the deadline of 50 ms"
    assert trailers["tailq-outcome"] == "late"
    assert served.running.outcomes() == {"late": 1}


async def test_the_calls_own_deadline_tightens_the_tiers(echoing: Stub, served: Serving) -> None:
    """The applied one is echoed; it ends before the client's patience does."""
    _, _, _, trailers = await call(served.address, message(), FAST_TIER, patience_s=8.0)
    assert 0 < float(trailers["tailq-deadline-ms"]) <= 7990


@pytest.mark.parametrize(("patience_s", "header"), [(8.0, "300"), (20.0, "400")])
async def test_the_tightest_deadline_wins(
    stub: Stub, served: Serving, patience_s: float, header: str
) -> None:
    """A header tighter than the call's own deadline and the tier's is the one applied."""
    stub.handler = stub.hold
    status, _, _, trailers = await call(
        served.address, message(), FAST_TIER, ("tailq-deadline-ms", header), patience_s=patience_s
    )
    assert status is Code.DEADLINE_EXCEEDED
    assert trailers["tailq-deadline-ms"] == header


async def test_the_sync_clients_timeout_is_a_deadline(
    stub: Stub, served: Serving, sync: client.InferenceServerClient
) -> None:
    """client_timeout of an unmodified client, with Triton stuck."""
    stub.handler = stub.hold
    with pytest.raises(InferenceServerException) as caught:
        await asyncio.to_thread(sync.infer, "fashion", [tensor()], headers=FAST, client_timeout=0.4)
    assert caught.value.status() == "StatusCode.DEADLINE_EXCEEDED"
    await until(lambda: served.running.outcomes() in ({"late": 1}, {"cancelled": 1}))


async def test_a_message_that_does_not_come_is_late(served: Serving) -> None:
    """The clock starts at the head of a call: one who holds the message back gets no more time."""
    never = asyncio.Event()

    async def held_back() -> AsyncIterator[bytes]:
        await never.wait()
        yield message()

    async with aio.insecure_channel(served.address) as channel:
        infer: Any = channel.stream_unary(INFER)
        calling = infer(held_back(), metadata=(("tailq-tier", "tight"),))
        assert await calling.code() is Code.DEADLINE_EXCEEDED
        assert await calling.details() == "no answer within the deadline of 50 ms"
    assert served.running.outcomes() == {"late": 1}
    assert served.is_empty()


async def test_a_call_without_a_message_is_refused(served: Serving) -> None:
    """Ended before there was one."""

    async def nothing() -> AsyncIterator[bytes]:
        none: tuple[bytes, ...] = ()
        for one in none:
            yield one

    async with aio.insecure_channel(served.address) as channel:
        infer: Any = channel.stream_unary(INFER)
        calling = infer(nothing(), metadata=(FAST_TIER,))
        assert await calling.code() is Code.INVALID_ARGUMENT
    assert served.running.outcomes() == {"invalid": 1}


async def test_who_may_not_ask_need_not_send(served: Serving) -> None:
    """A call is refused by its head, without waiting for its message."""
    never = asyncio.Event()

    async def held_back() -> AsyncIterator[bytes]:
        await never.wait()
        yield message()

    service = served.running.gateway.service
    service.clients = Clients(ClientsSettings(anonymous=False, named={"shop": ALLOWED}))
    served.server.reload()
    async with aio.insecure_channel(served.address) as channel:
        infer: Any = channel.stream_unary(INFER)
        calling = infer(held_back(), metadata=(FAST_TIER,))
        assert await calling.code() is Code.UNAUTHENTICATED


async def test_a_client_that_leaves_is_let_go(stub: Stub, served: Serving, aio: Any) -> None:
    """Its request is cancelled; Triton's work counts as load until it really ends."""
    stub.handler = stub.hold
    asking = asyncio.create_task(aio.infer("fashion", [tensor()], headers=FAST))
    await until(lambda: len(stub.infers) == 1)
    asking.cancel()
    await until(lambda: served.running.outcomes() == {"cancelled": 1})
    assert served.running.gateway.service.buffered == 0
    assert served.running.gateway.service.dataplane.outstanding == 1
    stub.release.set()
    await until(served.is_empty)


async def test_too_many_bytes_held_are_shed(stub: Stub, make_running: MakeRunning) -> None:
    """UNAVAILABLE with a time to try again, for gRPC's own retries too; and all is let go."""
    stub.handler = stub.hold
    large = message(np.zeros(100, np.float32))
    async with (
        make_running(max_body=600, max_buffered=600) as running,
        serving(running) as served,
    ):
        first = asyncio.create_task(call(served.address, large, FAST_TIER))
        await until(lambda: len(stub.infers) == 1)
        status, text, _, trailers = await call(served.address, large, FAST_TIER)
        assert status is Code.UNAVAILABLE
        assert "bytes" in text
        assert trailers["retry-after"] == "1"
        assert trailers["grpc-retry-pushback-ms"] == "1000"
        assert running.outcomes() == {"shed": 1}
        stub.release.set()
        assert (await first)[0] is Code.OK
        await until(served.is_empty)


KEY = b"tailq_0123456789"
ALLOWED = ClientSettings(
    keys=(digest(KEY),),
    tiers=frozenset(("fast",)),
    quota=QuotaSettings(requests=2, window_s=3600),
)
BEARER = ("authorization", f"Bearer {KEY.decode()}")


async def test_clients_have_what_they_may_have(echoing: Stub, served: Serving) -> None:
    """A key is asked for; tiers and quotas are its client's; a refused one is told when."""
    service = served.running.gateway.service
    service.clients = Clients(ClientsSettings(anonymous=False, named={"shop": ALLOWED}))
    served.server.reload()
    for metadata, code in (
        ((FAST_TIER,), Code.UNAUTHENTICATED),
        ((FAST_TIER, ("authorization", "Bearer wrong")), Code.UNAUTHENTICATED),
        ((("tailq-tier", "gold"), BEARER), Code.PERMISSION_DENIED),
        ((FAST_TIER, BEARER), Code.OK),
        ((FAST_TIER, BEARER), Code.OK),
        ((FAST_TIER, BEARER), Code.RESOURCE_EXHAUSTED),
    ):
        status, text, _, trailers = await call(served.address, message(), *metadata)
        assert status is code, text
        assert KEY.decode() not in text
        if status is Code.OK:
            assert trailers["ratelimit"].startswith('"requests";r=')
    assert int(trailers["retry-after"]) > 0
    assert int(trailers["grpc-retry-pushback-ms"]) == 1000 * int(trailers["retry-after"])
    assert all(each.standing.in_flight == 0 for each in service.clients)


async def test_a_client_that_leaves_frees_its_place(stub: Stub, served: Serving, aio: Any) -> None:
    """The bound on requests in flight counts those that are."""
    service = served.running.gateway.service
    service.clients = Clients(ClientsSettings(anonymous=Bounds(max_in_flight=1)))
    served.server.reload()
    stub.handler = stub.hold
    asking = asyncio.create_task(aio.infer("fashion", [tensor()], headers=FAST))
    await until(lambda: len(stub.infers) == 1)
    status, _, _, _ = await call(served.address, message(), FAST_TIER)
    assert status is Code.RESOURCE_EXHAUSTED
    asking.cancel()
    await until(lambda: all(each.standing.in_flight == 0 for each in service.clients or ()))


async def test_a_mistake_of_ours_is_told_as_internal(
    served: Serving, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Logged with its traceback, and none of it told to the client."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(served.running.gateway.service.dataplane, "open", fail)
    status, text, _, _ = await call(served.address, message(), FAST_TIER)
    assert status is Code.INTERNAL
    assert "secret" not in text
    assert "secret" in caplog.text
    assert served.is_empty()


async def test_a_drain_waits_for_what_is_in_flight(stub: Stub, served: Serving, aio: Any) -> None:
    """stop() lets a request end, and takes no new ones."""
    stub.handler = stub.hold
    asking = asyncio.create_task(aio.infer("fashion", [tensor()], headers=FAST))
    await until(lambda: len(stub.infers) == 1)
    stopping = asyncio.create_task(served.server.stop(20))
    await until(lambda: served.server.draining)
    stub.release.set()
    result = await asking
    assert result.get_response().model_name == "fashion"
    await stopping
