"""A Python-based Triton backend named `onnxruntime`.

The Triton of the wheel has no ONNX Runtime backend of its own. This one takes its place: a
production `config.pbtxt` with `backend: "onnxruntime"` loads and serves unchanged. It runs inside
Triton's Python stub and imports nothing of tailq.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils  # exists inside the stub only

Tensors = dict[str, np.ndarray[Any, Any]]


class TritonPythonModel:
    """One instance of one ONNX model; Triton fixes the name of the class and of its methods."""

    @staticmethod
    def auto_complete_config(auto_complete_model_config: Any) -> Any:
        """Fill in what the configuration leaves open, from the model itself."""
        config = auto_complete_model_config.as_dict()
        if not (config["input"] and config["output"]):
            # Imported here because a complete configuration, the usual case, can then do
            # without loading onnxruntime in the process that only completes it.
            from ort_completion import complete

            complete(auto_complete_model_config, pb_utils.get_model_dir())
        return auto_complete_model_config

    def initialize(self, args: dict[str, str]) -> None:
        """Load the model. `args` is Triton's; Triton reports what is raised as its reason."""
        from ort_session import open_session

        config = json.loads(args["model_config"])
        self._session = open_session(
            config,
            f"{args['model_repository']}/{args['model_version']}",
            gpu=args["model_instance_device_id"] if args["model_instance_kind"] == "GPU" else None,
        )
        self._batched = config["max_batch_size"] > 0
        self._inputs = [each["name"] for each in config["input"]]
        self._strings = {i["name"] for i in config["input"] if i["data_type"] == "TYPE_STRING"}
        self._outputs = [each["name"] for each in config["output"]]

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Answer `requests`, in one run of the model where their shapes agree."""
        responses: dict[int, Any] = {}
        groups: dict[Any, dict[int, Tensors]] = {}
        for index, request in enumerate(requests):
            if request.is_cancelled():
                responses[index] = _error("the request was cancelled", "CANCELLED")
                continue
            tensors = self._read(request)
            # What can be joined along the batch axis has one key; without that axis, nothing can.
            key = tuple((name, t.shape[1:]) for name, t in tensors.items())
            groups.setdefault(key if self._batched else index, {})[index] = tensors
        for group in groups.values():
            responses.update(self._answer(group, requests))
        return [responses[index] for index in range(len(requests))]

    def _read(self, request: Any) -> Tensors:
        tensors: Tensors = {}
        for name in self._inputs:
            tensor = pb_utils.get_input_tensor_by_name(request, name)
            if tensor is None:  # an optional input that this request leaves out
                continue
            value = tensor.as_numpy()
            tensors[name] = _decode(value) if name in self._strings else value
        return tensors

    def _answer(self, group: dict[int, Tensors], requests: Sequence[Any]) -> dict[int, Any]:
        """Run the requests of `group` (position to inputs) as one batch."""
        wanted = {i: set(requests[i].requested_output_names()) for i in group}
        names = [n for n in self._outputs if any(n in each for each in wanted.values())]
        try:
            parts = self._run(group, names)
        except Exception as error:  # noqa: BLE001
            # Not swallowed: it becomes the answer. onnxruntime's errors have no common base.
            if len(group) == 1:
                return {i: _error(f"onnxruntime: {error}", "INTERNAL") for i in group}
            # One request may have spoilt the batch for the others: run each by itself.
            return {
                i: answer
                for i, tensors in group.items()
                for answer in self._answer({i: tensors}, requests).values()
            }
        return {
            i: pb_utils.InferenceResponse(
                [pb_utils.Tensor(n, value) for n, value in parts[i].items() if n in wanted[i]]
            )
            for i in group
        }

    def _run(self, group: dict[int, Tensors], names: list[str]) -> dict[int, Tensors]:
        inputs = list(group.values())
        if len(inputs) == 1:
            values = self._session.run(names, inputs[0])
            return {i: dict(zip(names, values, strict=True)) for i in group}
        joined = {name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]}
        results = dict(zip(names, self._session.run(names, joined), strict=True))
        sizes = [len(next(iter(each.values()))) for each in inputs]
        for name, value in results.items():
            if value.shape[:1] != (sum(sizes),):
                raise ValueError(f"output {name!r} of shape {value.shape} has no batch axis")
        edges = np.cumsum([0, *sizes])
        return {
            i: {name: value[start:stop] for name, value in results.items()}
            for i, start, stop in zip(group, edges[:-1], edges[1:], strict=True)
        }


def _decode(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Triton's BYTES elements as the str elements that onnxruntime takes."""
    texts = [element.decode() for element in value.ravel()]
    return np.array(texts, dtype=np.object_).reshape(value.shape)


def _error(message: str, code: str) -> Any:
    return pb_utils.InferenceResponse(
        error=pb_utils.TritonError(message, getattr(pb_utils.TritonError, code))
    )
