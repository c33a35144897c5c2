"""Our `onnxruntime` backend inside the real Triton, seen by a client."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient import grpc, http
from tritonclient.utils import InferenceServerException

from deploy.embedded import EmbeddedTriton
from tests.deploy.embedded import models

pytestmark = pytest.mark.triton

_WAIT_S = 60.0


def _ask(triton: EmbeddedTriton, model: str, *rows: NDArray[Any], outputs: Any = None) -> list[Any]:
    """The answers, or errors, to requests sent at the same time, in their order."""

    def one(value: NDArray[Any]) -> Any:
        client = http.InferenceServerClient(triton.endpoints.http, network_timeout=_WAIT_S)
        kind = "INT64" if value.dtype == np.int64 else "FP32"
        tensor = http.InferInput("x", list(value.shape), kind)
        tensor.set_data_from_numpy(value)
        try:
            return client.infer(model, [tensor], outputs=outputs)
        except InferenceServerException as error:
            return error
        finally:
            client.close()

    with ThreadPoolExecutor(len(rows)) as pool:
        return list(pool.map(one, rows))


def _runs(triton: EmbeddedTriton, model: str) -> int:
    client = http.InferenceServerClient(triton.endpoints.http)
    try:
        statistics = client.get_inference_statistics(model)
        return int(statistics["model_stats"][0]["execution_count"])
    finally:
        client.close()


def test_answers_are_those_of_the_model(triton: EmbeddedTriton) -> None:
    """Every output holds what the model computes from the input sent."""
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    [answer] = _ask(triton, "linear", x)
    np.testing.assert_allclose(answer.as_numpy("y"), x @ models.WEIGHTS, rtol=1e-6)
    np.testing.assert_array_equal(answer.as_numpy("total"), [[6.0], [22.0]])


def test_only_the_outputs_asked_for_come_back(triton: EmbeddedTriton) -> None:
    """A request that names one output gets no other."""
    x = np.ones((1, 4), np.float32)
    [answer] = _ask(triton, "linear", x, outputs=[http.InferRequestedOutput("total")])
    assert [each["name"] for each in answer.get_response()["outputs"]] == ["total"]


@pytest.mark.parametrize("protocol", [http, grpc], ids=["http", "grpc"])
def test_every_type_passes_through_several_inputs(triton: EmbeddedTriton, protocol: Any) -> None:
    """A model with an input of each element type gives each back as it was sent."""
    endpoint = triton.endpoints.http if protocol is http else triton.endpoints.grpc
    client = protocol.InferenceServerClient(endpoint)
    inputs = []
    for name, (_, kind, value) in models.TYPES.items():
        inputs.append(protocol.InferInput(f"in_{name}", list(value.shape), kind))
        inputs[-1].set_data_from_numpy(value)
    answer = client.infer("types", inputs)
    client.close()
    for name, (_, _, value) in models.TYPES.items():
        got = answer.as_numpy(f"out_{name}")
        if name == "string":
            got = np.array([[each.decode() for each in got[0]]], np.object_)
        np.testing.assert_array_equal(got, value)
        assert got.dtype == value.dtype


def test_a_model_without_batch_axis_is_served(triton: EmbeddedTriton) -> None:
    """max_batch_size 0 means that shapes are the model's own."""
    [answer] = _ask(triton, "unbatched", np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(answer.as_numpy("y"), [2, 4, 6])


def test_waiting_requests_run_as_one_batch(triton: EmbeddedTriton) -> None:
    """Requests that wait together cost one run, and each gets the rows that are its own."""
    before = _runs(triton, "joined")
    one, two = np.full((1, 4), 1, np.float32), np.full((2, 4), 2, np.float32)
    first, second = _ask(triton, "joined", one, two)
    assert _runs(triton, "joined") - before == 1
    np.testing.assert_allclose(first.as_numpy("y"), one @ models.WEIGHTS)
    np.testing.assert_allclose(second.as_numpy("y"), two @ models.WEIGHTS)


def test_one_bad_request_spoils_no_other(triton: EmbeddedTriton) -> None:
    """Of two requests in one batch, the one the model fails on gets an error, the other not."""
    good, bad = _ask(triton, "lookup", np.array([[2]], np.int64), np.array([[7]], np.int64))
    np.testing.assert_array_equal(good.as_numpy("y"), [[12.0]])
    assert isinstance(bad, InferenceServerException)
    assert "out of data bounds" in str(bad)


def test_requests_of_different_shapes_are_answered_one_by_one(triton: EmbeddedTriton) -> None:
    """What cannot be joined into one array is run apart."""
    short, long = _ask(triton, "ragged", np.ones((1, 2), np.float32), np.ones((1, 5), np.float32))
    np.testing.assert_array_equal(short.as_numpy("y"), [[2, 2]])
    np.testing.assert_array_equal(long.as_numpy("y"), [[2, 2, 2, 2, 2]])


def test_a_bare_configuration_is_completed_from_the_model(triton: EmbeddedTriton) -> None:
    """Inputs, outputs and batching are filled in as the official backend fills them in."""
    client = http.InferenceServerClient(triton.endpoints.http)
    config = client.get_model_config("undescribed")
    client.close()
    assert config["max_batch_size"] == 4
    assert "dynamic_batching" in config
    for side, name in (("input", "x"), ("output", "y")):
        [tensor] = config[side]
        assert (tensor["name"], tensor["data_type"], tensor["dims"]) == (name, "TYPE_FP32", [-1])
