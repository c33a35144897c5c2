"""All but ModelInfer: the client's questions, health, reflection, and what is not served."""

import asyncio
from typing import Any

import grpc
import pytest
import tritonclient.grpc as client
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tritonclient.utils import InferenceServerException

from gateway.grpc.protocol import generate, inference_pb2
from tailq.errors import TailqError
from tests.gateway.grpc.serving import FAST, Serving, call, message, serving
from tests.gateway.running import MakeRunning, until
from tests.gateway.stub import Received, Stub, answer, ok

SERVICE = "inference.GRPCInferenceService"
Status = health_pb2.HealthCheckResponse
METADATA = (
    b'{"name":"large","versions":["7"],"platform":"stub","inputs":'
    b'[{"name":"x","datatype":"FP32","shape":["-1",4]}],"outputs":[]}'
)


async def metadata(request: Received) -> bytes | None:
    """A Triton that tells what its models are like."""
    return ok(METADATA) if request.path.count("/") == 3 else await answer(request)


async def down(request: Received) -> bytes | None:
    """A Triton that says nothing."""
    return None


async def test_the_client_finds_its_way_about(stub: Stub, served: Serving, aio: Any) -> None:
    """Liveness, readiness and metadata, of the service and in its name."""
    stub.handler = metadata
    assert await aio.is_server_live()
    assert await aio.is_server_ready()
    assert await aio.is_model_ready("fashion")
    assert await aio.is_model_ready("fashion", "1")
    server = await aio.get_server_metadata()
    assert server.name == "tailq-gateway"
    assert list(server.extensions) == ["binary_tensor_data"]
    model = await aio.get_model_metadata("fashion")
    assert (model.name, list(model.versions), model.platform) == ("fashion", ["1"], "stub")
    assert [(one.name, one.datatype, list(one.shape)) for one in model.inputs] == [
        ("x", "FP32", [-1, 4])
    ]


async def test_without_triton_it_lives_and_is_not_ready(
    stub: Stub, served: Serving, aio: Any
) -> None:
    """Answers, not errors; but metadata, which cannot be had, are UNAVAILABLE."""
    stub.handler = down
    assert await aio.is_server_live()
    assert not await aio.is_server_ready()
    assert not await aio.is_model_ready("fashion")
    with pytest.raises(InferenceServerException, match="try again") as caught:
        await aio.get_model_metadata("fashion")
    assert caught.value.status() == "StatusCode.UNAVAILABLE"


@pytest.mark.parametrize(
    "told",
    [b"{}", b'{"platform":1}', b'{"platform":"p","inputs":[{}]}', b'{"platform":"p","inputs":[1]}'],
)
async def test_metadata_that_are_none_are_unavailable(stub: Stub, aio: Any, told: bytes) -> None:
    """What Triton tells in another form is not made up, and no mistake of the client's."""

    async def strange(request: Received) -> bytes | None:
        return ok(told) if request.path.count("/") == 3 else await answer(request)

    stub.handler = strange
    with pytest.raises(InferenceServerException, match="try again") as caught:
        await aio.get_model_metadata("fashion")
    assert caught.value.status() == "StatusCode.UNAVAILABLE"


@pytest.mark.parametrize(("name", "version"), [("small", ""), ("other", ""), ("fashion", "2")])
async def test_other_models_are_not_found(aio: Any, name: str, version: str) -> None:
    """Variants, unknown names and versions, by both methods."""
    for ask in (aio.is_model_ready, aio.get_model_metadata):
        with pytest.raises(InferenceServerException, match="'fashion'") as caught:
            await ask(name, version)
        assert caught.value.status() == "StatusCode.NOT_FOUND"


async def test_a_stream_is_refused_with_the_remedy(
    served: Serving, sync: client.InferenceServerClient
) -> None:
    """The client's stream hears UNIMPLEMENTED, and what to call instead."""
    loop = asyncio.get_running_loop()
    errors: asyncio.Queue[Any] = asyncio.Queue()

    def ended(result: Any, error: Any) -> None:
        loop.call_soon_threadsafe(errors.put_nowait, error)

    await asyncio.to_thread(sync.start_stream, ended)
    error = await errors.get()
    await asyncio.to_thread(sync.stop_stream)
    assert "UNIMPLEMENTED" in str(error)
    assert "async_infer" in str(error)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ("get_model_repository_index", "'RepositoryIndex'.*ask Triton"),
        ("get_inference_statistics", "'ModelStatistics'.*ask Triton"),
        ("get_system_shared_memory_status", "'SystemSharedMemoryStatus'"),
    ],
)
async def test_what_is_not_served_says_so(aio: Any, ask: str, says: str) -> None:
    """UNIMPLEMENTED, naming the method and where to go."""
    with pytest.raises(InferenceServerException, match=says) as caught:
        await getattr(aio, ask)()
    assert caught.value.status() == "StatusCode.UNIMPLEMENTED"


async def test_the_configuration_is_elsewhere(aio: Any) -> None:
    """UNIMPLEMENTED, with the route that has it."""
    with pytest.raises(InferenceServerException, match="GET /v2/models/fashion/config"):
        await aio.get_model_config("fashion")


@pytest.mark.parametrize("method", ["/other.Service/Method", "/", "nothing"])
async def test_other_services_are_not_implemented(served: Serving, method: str) -> None:
    """By gRPC's own answer."""
    status, _, _, _ = await call(served.address, b"", method=method)
    assert status is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_health_is_readiness(stub: Stub, served: Serving, service: str) -> None:
    """SERVING while every variant can be asked; who watches hears of a drain."""
    async with aio.insecure_channel(served.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        assert (await health.Check(request)).status == Status.SERVING
        watching = health.Watch(request)
        assert (await watching.read()).status == Status.SERVING
        stopping = asyncio.create_task(served.server.stop(20))
        assert (await watching.read()).status == Status.NOT_SERVING
        assert await watching.read() is aio.EOF
        await stopping


async def test_who_watches_hears_of_a_change(stub: Stub, served: Serving) -> None:
    """Triton down: NOT_SERVING, without a further question."""
    async with aio.insecure_channel(served.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        watching = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watching.read()).status == Status.SERVING
        stub.handler = down
        assert (await watching.read()).status == Status.NOT_SERVING
        watching.cancel()


async def test_those_who_watch_leave_room_for_requests(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One too many is told to check instead; whoever ends makes room for another."""
    monkeypatch.setattr("gateway.grpc.health._MOST_WATCH", 1)
    async with aio.insecure_channel(served.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        first = health.Watch(health_pb2.HealthCheckRequest())
        assert (await first.read()).status == Status.SERVING
        second = health.Watch(health_pb2.HealthCheckRequest())
        assert await second.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        first.cancel()
        own = served.server._health
        assert own is not None
        await until(lambda: own._watching == 0)
        third = health.Watch(health_pb2.HealthCheckRequest())
        assert (await third.read()).status == Status.SERVING
        third.cancel()


async def test_the_health_of_others_is_unknown(served: Serving) -> None:
    """NOT_FOUND for a check, SERVICE_UNKNOWN for one who watches, as the protocol has it."""
    async with aio.insecure_channel(served.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service="other")
        with pytest.raises(aio.AioRpcError) as caught:
            await health.Check(request)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        watching = health.Watch(request)
        assert (await watching.read()).status == Status.SERVICE_UNKNOWN
        watching.cancel()


async def test_reflection_describes_what_is_served(served: Serving) -> None:
    """Services, and the file of ours with its messages."""
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]
    async with aio.insecure_channel(served.address) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)  # type: ignore[arg-type]
        reflecting = stub.ServerReflectionInfo(iter(requests))
        listed, described = [response async for response in reflecting]
    assert [one.name for one in listed.list_services_response.service] == [
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        SERVICE,
    ]
    file = FileDescriptorProto.FromString(
        described.file_descriptor_response.file_descriptor_proto[0]
    )
    assert [method.name for method in file.service[0].method][-1] == "ModelInfer"


def test_what_is_generated_is_of_the_present_protocol(tmp_path: Any) -> None:
    """`make protocol` would change nothing."""
    generate.generate(tmp_path)
    for name in ("inference.binpb", "inference_pb2.pyi"):
        assert (tmp_path / name).read_bytes() == (generate.HERE / name).read_bytes()


def test_the_protocol_is_the_one_that_clients_speak() -> None:
    """Every message and field has the number, type and cardinality that tritonclient's has."""
    theirs = client.service_pb2.DESCRIPTOR
    assert inference_pb2.DESCRIPTOR.package == theirs.package
    for method in inference_pb2.DESCRIPTOR.services_by_name["GRPCInferenceService"].methods:
        known = theirs.services_by_name["GRPCInferenceService"].methods_by_name[method.name]
        assert method.input_type.full_name == known.input_type.full_name
        assert method.output_type.full_name == known.output_type.full_name
    for name, message_type in inference_pb2.DESCRIPTOR.message_types_by_name.items():
        _same(message_type, theirs.message_types_by_name[name])


def _same(ours: Any, theirs: Any) -> None:
    def fields(message_type: Any) -> list[Any]:
        return [(f.name, f.number, f.type, f.label) for f in message_type.fields]

    assert fields(ours) == fields(theirs)
    for nested in ours.nested_types:
        _same(nested, theirs.nested_types_by_name[nested.name])


async def test_a_port_that_is_taken_is_one_clear_error(
    served: Serving, make_running: MakeRunning
) -> None:
    """Not silently shared, as gRPC would have it."""
    async with make_running() as running:
        with pytest.raises(TailqError, match="cannot listen"):
            async with serving(running, port=served.port):
                pass


async def test_workers_may_share_a_port(stub: Stub, make_running: MakeRunning) -> None:
    """Told so, two servers listen at the same port, and both answer."""
    async with (
        make_running() as one,
        make_running() as other,
        serving(one, reuse_port=True) as first,
        serving(other, reuse_port=True, port=first.port),
    ):
        metadata = tuple(FAST.items())
        async with asyncio.timeout(20):
            while not (one.outcomes() and other.outcomes()):
                await call(first.address, message(), *metadata)
