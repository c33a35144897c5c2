"""The backend's class by itself, with a stand-in for Triton's module of utilities."""

import importlib.util
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import deploy.embedded
from tests.deploy.embedded import models

_BACKEND = Path(deploy.embedded.__file__).parent / "backend" / "onnxruntime"


@dataclass
class Tensor:
    name: str
    value: NDArray[Any]

    def as_numpy(self) -> NDArray[Any]:
        return self.value


@dataclass
class Request:
    inputs: dict[str, NDArray[Any]]
    outputs: tuple[str, ...] = ("y", "total")
    cancelled: bool = False

    def is_cancelled(self) -> bool:
        return self.cancelled

    def requested_output_names(self) -> list[str]:
        return list(self.outputs)


class TritonError(Exception):
    CANCELLED, INTERNAL = "CANCELLED", "INTERNAL"


@dataclass
class Response:
    output_tensors: list[Tensor] = field(default_factory=list)
    error: TritonError | None = None


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The backend's module, imported the way the stub does."""
    utilities = ModuleType("triton_python_backend_utils")
    utilities.__dict__.update(
        Tensor=Tensor,
        TritonError=TritonError,
        InferenceResponse=Response,
        get_input_tensor_by_name=lambda request, name: (
            Tensor(name, request.inputs[name]) if name in request.inputs else None
        ),
    )
    monkeypatch.setitem(sys.modules, utilities.__name__, utilities)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # the folder is shipped as it is
    monkeypatch.syspath_prepend(str(_BACKEND))
    spec = importlib.util.spec_from_file_location("backend_model", _BACKEND / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for name in ("ort_session", "ort_completion"):
        sys.modules.pop(name, None)


def _model(backend: Any, root: Path, **parameters: str) -> Any:
    folder = models.add_model(root, "linear", models.linear())
    config = {
        "name": "linear",
        "max_batch_size": 8,
        "input": [{"name": "x", "data_type": "TYPE_FP32"}],
        "output": [{"name": "y"}, {"name": "total"}],
        "parameters": {key: {"string_value": value} for key, value in parameters.items()},
    }
    model = backend.TritonPythonModel()
    model.initialize(
        {
            "model_config": json.dumps(config),
            "model_repository": str(folder),
            "model_version": "1",
            "model_instance_kind": "CPU",
            "model_instance_device_id": "0",
        }
    )
    return model


def test_a_cancelled_request_is_not_run(
    backend: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the requests that are still wanted reach the model; the others get CANCELLED."""
    model = _model(backend, tmp_path)
    rows_run = []
    run = model._session.run

    class Spy:
        def run(self, names: Any, feed: Any) -> Any:
            rows_run.append(len(feed["x"]))
            return run(names, feed)

    monkeypatch.setattr(model, "_session", Spy())
    x = np.ones((1, 4), np.float32)
    answers = model.execute([Request({"x": x}, cancelled=True), Request({"x": x})])
    assert rows_run == [1]
    assert answers[0].error.args == ("the request was cancelled", "CANCELLED")
    assert answers[1].error is None


def test_each_request_gets_the_outputs_it_asked_for(backend: Any, tmp_path: Path) -> None:
    """Two requests of one batch may ask for different outputs."""
    model = _model(backend, tmp_path)
    x = np.ones((1, 4), np.float32)
    answers = model.execute([Request({"x": x}, ("y",)), Request({"x": x}, ("total",))])
    assert [[t.name for t in answer.output_tensors] for answer in answers] == [["y"], ["total"]]


def test_the_thread_count_of_the_configuration_is_used(backend: Any, tmp_path: Path) -> None:
    """intra_op_thread_count reaches ONNX Runtime under its official name."""
    model = _model(backend, tmp_path, intra_op_thread_count="3")
    assert model._session.get_session_options().intra_op_num_threads == 3


def test_a_parameter_that_is_no_number_is_named(backend: Any, tmp_path: Path) -> None:
    """A mistyped parameter ends the load with its name and value."""
    with pytest.raises(ValueError, match=r"intra_op_thread_count must be .* not 'many'"):
        _model(backend, tmp_path, intra_op_thread_count="many")
