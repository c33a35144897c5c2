"""ModelInfer in front of a real Triton: the gateway's answers are those that Triton gives."""

from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as client
import tritonclient.grpc.aio as aio_client
from tritonclient.utils import InferenceServerException

from deploy.embedded.server import EmbeddedTriton
from tests.gateway.conftest import REAL_TABLE
from tests.gateway.grpc.serving import FAST, Serving, call, serving, tensor
from tests.gateway.running import running

pytestmark = pytest.mark.triton

IMAGES = np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32)
VARIANT = "fashion_nano"
Code = grpc.StatusCode
theirs = client.service_pb2


@pytest.fixture
async def through(triton: EmbeddedTriton) -> AsyncIterator[Serving]:
    """A gateway in front of the real Triton, listening for gRPC."""
    port = int(triton.endpoints.http.rpartition(":")[2])
    async with running(port, REAL_TABLE) as gateway, serving(gateway) as served:
        yield served


def request(model: str) -> Any:
    """A request without data."""
    one = theirs.ModelInferRequest(model_name=model)
    one.inputs.add(name="images", datatype="FP32", shape=IMAGES.shape)
    return one


def raw(model: str) -> Any:
    """A request with raw data."""
    one = request(model)
    one.raw_input_contents.append(IMAGES.tobytes())
    return one


def typed(model: str) -> Any:
    """A request with typed data."""
    one = request(model)
    one.inputs[0].contents.fp32_contents.extend(IMAGES.ravel().tolist())
    return one


def both(model: str) -> Any:
    """A request with raw and typed data."""
    one = typed(model)
    one.raw_input_contents.append(IMAGES.tobytes())
    return one


def named(model: str) -> Any:
    """A request that names its output and itself."""
    one = raw(model)
    one.id = "mine"
    one.outputs.add(name="logits")
    return one


def classes(model: str) -> Any:
    """A request for the three best classes."""
    one = raw(model)
    one.outputs.add(name="logits").parameters["classification"].int64_param = 3
    return one


def priority(model: str) -> Any:
    """A request with parameters that Triton knows."""
    one = raw(model)
    one.parameters["priority"].uint64_param = 0
    one.parameters["timeout"].int64_param = 5_000_000
    one.parameters["my_own"].string_param = "x"
    return one


def short(model: str) -> Any:
    """A request with too few bytes."""
    one = request(model)
    one.raw_input_contents.append(bytes(4))
    return one


def shapeless(model: str) -> Any:
    """A request of a shape that does not fit."""
    one = request(model)
    del one.inputs[0].shape[:]
    one.inputs[0].shape.extend([1, 2])
    one.raw_input_contents.append(bytes(8))
    return one


def unknown(model: str) -> Any:
    """A request with an input that the model does not have."""
    one = raw(model)
    one.inputs[0].name = "pictures"
    return one


def output(model: str) -> Any:
    """A request for an output that the model does not have."""
    one = raw(model)
    one.outputs.add(name="answers")
    return one


def region(model: str) -> Any:
    """A request whose data are in shared memory that nobody has registered."""
    one = request(model)
    one.inputs[0].parameters["shared_memory_region"].string_param = "nowhere"
    one.inputs[0].parameters["shared_memory_byte_size"].int64_param = 8
    return one


@pytest.mark.parametrize("make", [raw, typed, named, classes, priority])
async def test_good_requests_have_the_same_answer(
    triton: EmbeddedTriton, through: Serving, make: Any
) -> None:
    """The same outputs, bytes and id; only the name and our parameters differ."""
    answers = []
    for address, model in (
        (triton.endpoints.grpc, VARIANT),
        (through.address, "fashion"),
    ):
        status, text, content, _ = await call(
            address, make(model).SerializeToString(), *FAST.items()
        )
        assert status is Code.OK, text
        answers.append(theirs.ModelInferResponse.FromString(content))
        assert answers[-1].model_name == model
        answers[-1].ClearField("model_name")
        for name in [name for name in answers[-1].parameters if name.startswith("tailq_")]:
            del answers[-1].parameters[name]
    direct, through_us = answers
    assert len(direct.raw_output_contents) == 1
    assert direct == through_us


@pytest.mark.parametrize("make", [request, both, short, shapeless, unknown, output, region])
async def test_bad_requests_are_the_clients_fault(
    triton: EmbeddedTriton, through: Serving, make: Any
) -> None:
    """INVALID_ARGUMENT, as from Triton itself, and without a variant's name in the text."""
    direct, _, _, _ = await call(triton.endpoints.grpc, make(VARIANT).SerializeToString())
    status, text, _, trailers = await call(
        through.address, make("fashion").SerializeToString(), *FAST.items()
    )
    assert status is Code.INVALID_ARGUMENT, text
    # Of memory that nobody has registered Triton's gRPC says NOT_FOUND.
    assert direct in (Code.INVALID_ARGUMENT, Code.NOT_FOUND)
    assert "fashion_" not in text
    assert trailers["tailq-request-id"]


async def test_the_clients_get_what_triton_says(triton: EmbeddedTriton, through: Serving) -> None:
    """Metadata, and logits, by tritonclient.grpc.aio."""
    async with (
        aio_client.InferenceServerClient(triton.endpoints.grpc) as direct,
        aio_client.InferenceServerClient(through.address) as ours,
    ):
        for compression in (None, "gzip", "deflate"):
            expected = await direct.infer(VARIANT, [tensor(IMAGES)])
            got = await ours.infer(
                "fashion", [tensor(IMAGES)], headers=FAST, compression_algorithm=compression
            )
            assert np.array_equal(got.as_numpy("logits"), expected.as_numpy("logits"))
        theirs_ = await direct.get_model_metadata("fashion_tiny")
        theirs_.name = "fashion"
        assert await ours.get_model_metadata("fashion") == theirs_
        with pytest.raises(InferenceServerException, match="name a tier"):
            await ours.infer("fashion", [tensor(IMAGES)])
