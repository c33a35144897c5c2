"""A real Triton with tiny models, a tiny data set for them, and the command line in process."""

import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deploy.embedded import EmbeddedTriton
from profiler.cli import main

CLASSES = 3
SIDE = 4

_CONFIG = """
backend: "onnxruntime"
max_batch_size: {batch}
input [{{ name: "images" data_type: TYPE_FP32 dims: [ {lead} 1, 4, 4 ] }}]
output [{{ name: "scores" data_type: TYPE_FP32 dims: [ {lead} 3 ] }}]
instance_group [{{ count: 1 kind: KIND_CPU }}]
"""


def write_model(repository: Path, name: str, *, softmax: bool = False, batch: int = 8) -> None:
    """A classifier of 4x4 images into 3 classes: the mean brightness of three bands."""
    bands = np.zeros((SIDE * SIDE, CLASSES), dtype=np.float32)
    for pixel in range(SIDE * SIDE):
        bands[pixel, pixel * CLASSES // (SIDE * SIDE)] = 1.0
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "bands"], ["sums"]),
        helper.make_node("Softmax" if softmax else "Identity", ["sums"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["batch", CLASSES])],
        [numpy_helper.from_array(bands, "bands")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    folder = repository / name / "1"
    folder.mkdir(parents=True)
    onnx.save(model, str(folder / "model.onnx"))
    (repository / name / "config.pbtxt").write_text(
        f'name: "{name}"' + _CONFIG.format(batch=batch, lead="" if batch else "1, ")
    )


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models toy_logits and toy_softmax, which agree in every answer, and one without batches."""
    folder = tmp_path_factory.mktemp("models")
    write_model(folder, "toy_logits")
    write_model(folder, "toy_softmax", softmax=True, batch=4)
    write_model(folder, "unbatched_toy", batch=0)
    return folder


@pytest.fixture(scope="session")
def triton(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A real Triton that serves both."""
    with EmbeddedTriton(repository, log_dir=tmp_path_factory.mktemp("log")) as server:
        yield server


@pytest.fixture(scope="session")
def toy_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 images as .npz; the models are right about those whose label is not flipped: 240."""
    random = np.random.default_rng(1)
    labels = random.integers(0, CLASSES, 300)
    inputs = random.uniform(0, 0.1, (300, SIDE * SIDE)).astype(np.float32)
    band = np.arange(SIDE * SIDE) * CLASSES // (SIDE * SIDE)
    inputs[band == labels[:, None]] += 0.9
    labels[:60] = (labels[:60] + 1) % CLASSES
    path = tmp_path_factory.mktemp("data") / "toy.npz"
    np.savez(path, inputs=inputs.reshape(-1, 1, SIDE, SIDE), labels=labels)
    return path


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens: taken, so that nobody begins to, either."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@dataclass(frozen=True)
class Outcome:
    """What the command line did."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Call `tailq-profile` in this process."""

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["tailq-profile", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
