"""Inference requests and answers as bytes of the Open Inference Protocol over gRPC.

A request is made of two messages one after the other: protobuf joins their fields. The head (the
model and the names of its tensors) is the same for all requests of a variant, the body (the
sample) for all variants that take it, and nothing is serialised inside the measured time.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tritonclient.grpc import service_pb2 as pb

from profiler.errors import ModelError

DTYPES: dict[str, np.dtype[Any]] = {
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "UINT8": np.dtype(np.uint8),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output of a model. shape: of one sample, without the batch; -1 is any size."""

    name: str
    datatype: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """A model on Triton and how it is asked.

    batch: the most samples in one request. leading: whether its tensors have a batch dimension.
    """

    name: str
    version: str
    fingerprint: str
    input: Tensor
    output: Tensor
    batch: int
    leading: bool


def head(variant: Variant, shape: tuple[int, ...]) -> bytes:
    """Everything of a request but its sample. shape: of the whole tensor, the batch included."""
    request = pb.ModelInferRequest(model_name=variant.name, model_version=variant.version)
    request.inputs.add(name=variant.input.name, datatype=variant.input.datatype, shape=shape)
    request.outputs.add(name=variant.output.name)
    content: bytes = request.SerializeToString()
    return content


def body(tensor: NDArray[np.float32], datatype: str) -> bytes:
    """The sample or batch of a request."""
    raw = np.ascontiguousarray(tensor, dtype=DTYPES[datatype]).tobytes()
    content: bytes = pb.ModelInferRequest(raw_input_contents=[raw]).SerializeToString()
    return content


def read_output(variant: Variant, answer: bytes, samples: int) -> NDArray[np.float32]:
    """The output of an answer to `samples` samples: [samples, classes].

    Raises ModelError if it is not one vector of at least two numbers a sample.
    """
    message = pb.ModelInferResponse.FromString(answer)
    names = [output.name for output in message.outputs]
    if variant.output.name not in names or len(message.raw_output_contents) != len(names):
        raise ModelError(f"model {variant.name} does not answer with output {variant.output.name}")
    position = names.index(variant.output.name)
    datatype = message.outputs[position].datatype
    if datatype not in DTYPES:
        raise ModelError(
            f"model {variant.name} answers in {datatype}; a classifier's output must be one of "
            f"{', '.join(DTYPES)}"
        )
    values = np.frombuffer(message.raw_output_contents[position], dtype=DTYPES[datatype])
    if values.size % samples or values.size < 2 * samples:
        raise ModelError(
            f"model {variant.name} answers {samples} samples with an output of shape "
            f"{list(message.outputs[position].shape)}; expected at least two classes a sample"
        )
    return np.asarray(values.reshape(samples, -1), dtype=np.float32)
