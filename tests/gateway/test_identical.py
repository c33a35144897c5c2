"""What clients read is the same, byte for byte, through the gateway and from Triton directly."""

import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import tritonclient.grpc as grpc_client
import tritonclient.grpc.aio as grpc_aio
import tritonclient.http as http_client
import tritonclient.http.aio as http_aio
from numpy.typing import NDArray

from deploy.embedded.server import EmbeddedTriton
from tests.gateway.grpc.serving import Serving, serving
from tests.gateway.running import running
from tests.tables import promise, table, tier

pytestmark = pytest.mark.triton

SAME: Final = "same_small"
TABLE: Final = table(tier("gold", 0.0, promise(SAME, 20.0)), default="gold", service="same")
DATATYPES: Final = ("FP32", "INT64", "UINT8", "BOOL", "BYTES")
CONFIG: Final = f"""
name: "{SAME}"
backend: "python"
max_batch_size: 8
""" + "".join(
    f"""
input [ {{ name: "in_{kind}" data_type: TYPE_{kind} dims: [ -1 ] optional: true }} ]
output [ {{ name: "out_{kind}" data_type: TYPE_{kind} dims: [ -1 ] }} ]
"""
    for kind in ("FP32", "INT64", "UINT8", "BOOL", "STRING")
)
MODEL: Final = """
import triton_python_backend_utils as pb_utils

class TritonPythonModel:
    def execute(self, requests):
        return [
            pb_utils.InferenceResponse(
                [
                    pb_utils.Tensor(tensor.name().replace("in_", "out_"), tensor.as_numpy())
                    for tensor in request.inputs()
                ]
            )
            for request in requests
        ]
"""
RANDOM: Final = np.random.default_rng(1)


def array(datatype: str, batch: int) -> NDArray[Any]:
    """[batch, 300] with whatever a datatype can hold: NaNs of all sorts, strings of no encoding."""
    count = batch * 300
    flat: NDArray[Any]
    match datatype:
        case "FP32":
            flat = np.frombuffer(RANDOM.bytes(4 * count), np.float32)
        case "INT64":
            flat = np.frombuffer(RANDOM.bytes(8 * count), np.int64)
        case "UINT8":
            flat = np.frombuffer(RANDOM.bytes(count), np.uint8)
        case "BOOL":
            flat = RANDOM.integers(0, 2, count).astype(np.bool_)
        case _:
            flat = np.empty(count, np.object_)
            flat[:] = [RANDOM.bytes(number % 40) for number in range(count)]
    return flat.reshape(batch, 300)


def exact(tensor: NDArray[Any]) -> bytes:
    """The bytes of a tensor as it was received."""
    if tensor.dtype == np.object_:
        return b"".join(struct.pack("<I", len(one)) + one for one in tensor.ravel())
    return tensor.tobytes()


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A Triton with a model that gives its inputs back."""
    root: Path = tmp_path_factory.mktemp("same")
    folder = root / "repository" / SAME
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text(CONFIG)
    (folder / "1" / "model.py").write_text(MODEL)
    with EmbeddedTriton(root / "repository", log_dir=root) as triton:
        yield triton


@pytest.fixture
async def through(same: EmbeddedTriton) -> AsyncIterator[Serving]:
    """A gateway before it, listening for both protocols."""
    port = int(same.endpoints.http.rpartition(":")[2])
    async with running(port, TABLE) as gateway, serving(gateway) as served:
        yield served


def name(datatype: str) -> str:
    """Of the input with this datatype."""
    return "in_" + datatype.replace("BYTES", "STRING")


async def over_grpc(address: str, model: str, arrays: dict[str, NDArray[Any]]) -> dict[str, bytes]:
    """What tritonclient.grpc.aio receives."""
    inputs = []
    for datatype, each in arrays.items():
        inputs.append(grpc_client.InferInput(name(datatype), each.shape, datatype))
        inputs[-1].set_data_from_numpy(each)
    async with grpc_aio.InferenceServerClient(address) as client:
        result = await client.infer(model, inputs)
    response = result.get_response()
    received = {
        output.name: bytes(content)
        for output, content in zip(response.outputs, response.raw_output_contents, strict=True)
    }
    assert received == {each: exact(result.as_numpy(each)) for each in received}
    return received


async def over_http(
    address: str, model: str, arrays: dict[str, NDArray[Any]], **how: str
) -> dict[str, bytes]:
    """What tritonclient.http.aio receives."""
    inputs = []
    for datatype, each in arrays.items():
        inputs.append(http_client.InferInput(name(datatype), each.shape, datatype))
        inputs[-1].set_data_from_numpy(each)
    async with http_aio.InferenceServerClient(address) as client:
        result = await client.infer(model, inputs, **how)
    outputs = [output["name"] for output in result.get_response()["outputs"]]
    return {each: exact(result.as_numpy(each)) for each in outputs}


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize("datatypes", [*((one,) for one in DATATYPES), DATATYPES])
async def test_outputs_are_identical(
    same: EmbeddedTriton, through: Serving, datatypes: tuple[str, ...], batch: int
) -> None:
    """Over HTTP and gRPC, direct and through the gateway: what was sent comes back, four times."""
    arrays = {datatype: array(datatype, batch) for datatype in datatypes}
    sent = {name(one).replace("in_", "out_"): exact(each) for one, each in arrays.items()}
    http = f"127.0.0.1:{through.running.port}"
    assert await over_grpc(same.endpoints.grpc, SAME, arrays) == sent
    assert await over_grpc(through.address, "same", arrays) == sent
    assert await over_http(same.endpoints.http, SAME, arrays) == sent
    assert await over_http(http, "same", arrays) == sent


@pytest.mark.parametrize("datatype", DATATYPES)
async def test_compression_changes_nothing(
    same: EmbeddedTriton, through: Serving, datatype: str
) -> None:
    """Compressed requests of either client mean the same."""
    arrays = {datatype: array(datatype, 2)}
    sent = {name(datatype).replace("in_", "out_"): exact(arrays[datatype])}
    http = f"127.0.0.1:{through.running.port}"
    how = {"request_compression_algorithm": "gzip", "response_compression_algorithm": "gzip"}
    assert await over_http(http, "same", arrays, **how) == sent
    inputs = [grpc_client.InferInput(name(datatype), arrays[datatype].shape, datatype)]
    inputs[0].set_data_from_numpy(arrays[datatype])
    async with grpc_aio.InferenceServerClient(through.address) as client:
        result = await client.infer("same", inputs, compression_algorithm="deflate")
    assert {
        each.name: exact(result.as_numpy(each.name)) for each in result.get_response().outputs
    } == sent
