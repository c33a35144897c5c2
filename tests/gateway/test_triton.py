"""The gateway as a process, a real Triton behind it, unmodified clients before it."""

import asyncio
import json
from collections import Counter
from typing import Any

import numpy as np
import pytest
import tritonclient.http as sync_client
import tritonclient.http.aio as aio_client
from numpy.typing import NDArray
from tritonclient.utils import InferenceServerException

from deploy.embedded.server import EmbeddedTriton
from tests.gateway.client import Client, infer
from tests.gateway.process import GatewayProcess
from tests.gateway.running import until

pytestmark = pytest.mark.triton

IMAGES = np.random.default_rng(0).random((3, 1, 28, 28), dtype=np.float32)
FAST = {"tailq-tier": "fast"}
WAYS = [
    {},
    {"request_id": 'a "quoted" one'},
    {"model_version": "1"},
    {"request_compression_algorithm": "gzip"},
    {"request_compression_algorithm": "deflate"},
    {"response_compression_algorithm": "gzip"},
]


def tensor(images: NDArray[Any] = IMAGES, name: str = "images", *, binary: bool = True) -> Any:
    kind = {"float32": "FP32", "int64": "INT64"}[images.dtype.name]
    one = sync_client.InferInput(name, images.shape, kind)
    one.set_data_from_numpy(images, binary_data=binary)
    return one


def outputs(*, binary: bool) -> Any:
    return [sync_client.InferRequestedOutput("logits", binary_data=binary)]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("how", WAYS)
def test_the_sync_client_gets_what_triton_says(
    triton: EmbeddedTriton, real: GatewayProcess, how: dict[str, str], binary: bool
) -> None:
    """tritonclient.http gets the same logits through the gateway as from Triton itself."""
    with (
        sync_client.InferenceServerClient(triton.endpoints.http) as direct,
        sync_client.InferenceServerClient(real.address) as through,
    ):
        inputs = [tensor(binary=binary)]
        theirs = direct.infer("fashion_nano", inputs, outputs=outputs(binary=binary), **how)
        ours = through.infer(
            "fashion", inputs, outputs=outputs(binary=binary), headers=dict(FAST), **how
        )
    assert np.array_equal(ours.as_numpy("logits"), theirs.as_numpy("logits"))
    content, expected = ours.get_response(), theirs.get_response()
    assert content.pop("model_name") == "fashion"
    assert (
        content.pop("parameters")["tailq_variant"] == expected.pop("model_name") == "fashion_nano"
    )
    assert content == expected


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("how", WAYS)
async def test_the_aio_client_gets_what_triton_says(
    triton: EmbeddedTriton, real: GatewayProcess, how: dict[str, str], binary: bool
) -> None:
    """tritonclient.http.aio gets the same logits through the gateway as from Triton itself."""
    async with (
        aio_client.InferenceServerClient(triton.endpoints.http) as direct,
        aio_client.InferenceServerClient(real.address) as through,
    ):
        inputs = [tensor(binary=binary)]
        theirs = await direct.infer("fashion_nano", inputs, outputs=outputs(binary=binary), **how)
        ours = await through.infer(
            "fashion", inputs, outputs=outputs(binary=binary), headers=dict(FAST), **how
        )
    assert np.array_equal(ours.as_numpy("logits"), theirs.as_numpy("logits"))
    assert ours.get_response()["model_name"] == "fashion"
    assert ours.get_response()["parameters"]["tailq_outcome"] == "on_time"


def test_without_named_outputs_all_of_them_come_in_binary(
    triton: EmbeddedTriton, real: GatewayProcess
) -> None:
    """The client's default, binary_data_output, passes."""
    with (
        sync_client.InferenceServerClient(triton.endpoints.http) as direct,
        sync_client.InferenceServerClient(real.address) as through,
    ):
        theirs = direct.infer("fashion_tiny", [tensor()])
        ours = through.infer("fashion", [tensor()], headers={"tailq-tier": "gold"})
    assert np.array_equal(ours.as_numpy("logits"), theirs.as_numpy("logits"))


def test_the_client_finds_its_way_about(triton: EmbeddedTriton, real: GatewayProcess) -> None:
    """Liveness, readiness, metadata and configuration are there for the client's own methods."""
    with (
        sync_client.InferenceServerClient(triton.endpoints.http) as direct,
        sync_client.InferenceServerClient(real.address) as client,
    ):
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("fashion")
        assert client.is_model_ready("fashion", "1")
        assert client.get_server_metadata()["name"] == "tailq-gateway"
        theirs = direct.get_model_metadata("fashion_tiny")
        assert client.get_model_metadata("fashion") == {**theirs, "name": "fashion"}
        assert client.get_model_config("fashion")["name"] == "fashion"


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (tensor(np.zeros((1, 1, 5, 5), np.float32)), "shape"),
        (tensor(np.zeros((1, 1, 28, 28), np.int64)), "INT64|data-type|datatype"),
        (tensor(name="pictures"), "pictures"),
    ],
)
def test_tritons_own_refusals_reach_the_client(real: GatewayProcess, one: Any, says: str) -> None:
    """Wrong shape, datatype or input name: 400 with what Triton says about it."""
    with (
        sync_client.InferenceServerClient(real.address) as client,
        pytest.raises(InferenceServerException, match=says) as caught,
    ):
        client.infer("fashion", [one], headers=dict(FAST))
    assert caught.value.status() == "400"
    assert "fashion_nano" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"nonsense",
        b"{}",
        b'{"inputs":[]}',
        b'{"inputs":[{"name":"images","shape":[-1],"datatype":"FP32","data":[]}]}',
        b'{"inputs":[{"name":"images","shape":[1,1,28,28],"datatype":"FP32","data":["a"]}]}',
    ],
)
async def test_malformed_json_is_the_clients_fault(real: GatewayProcess, body: bytes) -> None:
    """Triton calls some of these internal errors; clients would try them again for ever."""
    client = await Client.connect(real.port)
    got = await client.ask(infer(body=body))
    assert got.status == 400
    assert got.problem
    assert got.headers["tailq-outcome"] == "invalid"
    client.close()
    await client.at_end()


@pytest.mark.parametrize(
    ("model", "headers", "status", "says"),
    [
        ("fashion", {"tailq-tier": "silver"}, "400", r"silver.*gold.*fast"),
        ("fashion", {}, "400", r"gold.*fast"),
        ("fashion", {"tolerance": "0.1", "objective": "cost"}, "400", "strict"),
        ("fashion", {**FAST, "tailq-deadline-ms": "soon"}, "400", "tailq-deadline-ms"),
        ("fashion", {**FAST, "tailq-deadline-ms": "0.01"}, "504", r"0\.01 ms"),
        ("fashion_nano", FAST, "404", "'fashion'"),
        ("nothing", FAST, "404", "'fashion'"),
    ],
)
def test_mistakes_are_explained_to_the_client(
    real: GatewayProcess, model: str, headers: dict[str, str], status: str, says: str
) -> None:
    """The client shows our status and the problem's text."""
    with (
        sync_client.InferenceServerClient(real.address) as client,
        pytest.raises(InferenceServerException, match=says) as caught,
    ):
        client.infer(model, [tensor()], headers=dict(headers))
    assert caught.value.status() == status


def test_a_body_over_the_limit_is_explained_to_the_client(real: GatewayProcess) -> None:
    """413, and the limit in bytes."""
    images = np.zeros((400, 1, 28, 28), np.float32)
    with (
        sync_client.InferenceServerClient(real.address) as client,
        pytest.raises(InferenceServerException, match=str(1 << 20)) as caught,
    ):
        client.infer("fashion", [tensor(images)], headers=dict(FAST))
    assert caught.value.status() == "413"


class Load:
    """Clients that ask one request after the other and count what comes of them."""

    def __init__(self, port: int) -> None:
        content = {"name": "images", "shape": [1, 1, 28, 28], "datatype": "FP32"}
        data = json.dumps({"inputs": [{**content, "data": IMAGES[0].ravel().tolist()}]})
        self._request = infer("tailq-deadline-ms: 1000", body=data.encode())
        self._port = port
        self.statuses: list[int] = []
        self.outcomes: Counter[str] = Counter()
        self.over = False

    async def run(self) -> None:
        """Ask until it is over."""
        client = await Client.connect(self._port)
        while not self.over:
            got = await client.ask(self._request)
            if got.status != 200:
                assert got.problem
            self.statuses.append(got.status)
            self.outcomes[got.headers["tailq-outcome"]] += 1
        client.writer.close()
        await client.at_end()

    async def see(self, count: int, *, good: bool) -> None:
        """Wait for `count` more good or bad answers."""
        start = len(self.statuses)
        await until(lambda: sum((s == 200) == good for s in self.statuses[start:]) >= count)


async def test_triton_may_be_killed_under_load(
    triton: EmbeddedTriton, real: GatewayProcess
) -> None:
    """Clean 503s and 504s while it is away, answers again when it is back, and a quiet log."""
    load = Load(real.port)
    tasks = [asyncio.create_task(load.run()) for _ in range(8)]
    try:
        await load.see(100, good=True)
        triton.kill()
        await load.see(100, good=False)
        await asyncio.to_thread(triton.start)
        await load.see(100, good=True)
    finally:
        load.over = True
        await asyncio.gather(*tasks)
        if not triton.alive:
            triton.start()
    assert set(load.statuses) <= {200, 503, 504}
    assert set(load.outcomes) <= {"on_time", "best_effort", "late", "failed", "shed"}
    assert "Traceback" not in real.log
    said = [line.split(": ", 1)[1] for line in real.log.splitlines() if "Triton at" in line]
    assert [line.split(" is ")[1].split(":")[0] for line in said] == ["up", "down", "up"]
