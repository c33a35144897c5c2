"""Inference requests and answers as bytes of the Open Inference Protocol over gRPC.

A request is made of two messages one after the other: protobuf joins their fields. The head (the
model and the names of its tensors) is the same for all requests of a variant, the body (the
sample) for all variants that take it, and nothing is serialised inside the measured time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from tritonclient.grpc import service_pb2 as pb

from profiler.errors import ModelError
from profiler.tensors import DTYPES, Column, Model, Tensor, decode, encode

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Variant(Model):
    """A model on Triton and how it is asked.

    batch: the most samples in one request. leading: whether its tensors have a batch dimension.
    """

    version: str
    fingerprint: str
    batch: int
    leading: bool


def head(variant: Variant, shapes: Sequence[Shape]) -> bytes:
    """Everything of a request but its sample. shapes: of whole inputs, the batch included."""
    request = pb.ModelInferRequest(model_name=variant.name, model_version=variant.version)
    for tensor, shape in zip(variant.inputs, shapes, strict=True):
        request.inputs.add(name=tensor.name, datatype=tensor.datatype, shape=shape)
    for tensor in variant.outputs:
        request.outputs.add(name=tensor.name)
    content: bytes = request.SerializeToString()
    return content


def body(values: Sequence[NDArray[Any]], inputs: Sequence[Tensor]) -> bytes:
    """The sample or batch of a request: the values of all inputs."""
    raw = [encode(value, tensor.datatype) for value, tensor in zip(values, inputs, strict=True)]
    content: bytes = pb.ModelInferRequest(raw_input_contents=raw).SerializeToString()
    return content


def read_outputs(variant: Variant, answer: bytes, samples: int) -> list[Column]:
    """The variant's outputs in an answer to `samples` samples: of each an array a sample.

    Raises ModelError if an output is missing or does not tell the samples apart.
    """
    message = pb.ModelInferResponse.FromString(answer)
    position = {output.name: index for index, output in enumerate(message.outputs)}
    columns: list[Column] = []
    for tensor in variant.outputs:
        at = position.get(tensor.name, -1)
        if at < 0 or len(message.raw_output_contents) != len(position):
            raise ModelError(f"model {variant.name} does not answer with output {tensor.name}")
        said = message.outputs[at]
        if said.datatype not in DTYPES:
            raise ModelError(
                f"output {tensor.name} of model {variant.name} is {said.datatype}; supported are "
                f"{', '.join(DTYPES)}"
            )
        values = decode(message.raw_output_contents[at], said.datatype, tuple(said.shape))
        columns.append(_split(variant, tensor, values, samples))
    return columns


def _split(variant: Variant, tensor: Tensor, values: NDArray[Any], samples: int) -> Column:
    if variant.leading and values.shape[:1] == (samples,):
        return [values[index, ...] for index in range(samples)]
    if samples == 1:  # a model without batches, whatever its input looks like
        return [values]
    raise ModelError(
        f"model {variant.name} answers {samples} samples with an output {tensor.name} of shape "
        f"{list(values.shape)}; expected {samples} in front"
    )
