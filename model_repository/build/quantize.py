"""Static 8-bit quantisation: weights per channel, activations calibrated on training images."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from .data import Images
from .runtime import Floats

CALIBRATION = 512  # images of the part to fit
CALIBRATION_BATCH = 32


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """Feeds the calibrator batches of [32, 1, 28, 28]."""

    def __init__(self, images: Images) -> None:
        batches = torch.split(images.pixels[:CALIBRATION], CALIBRATION_BATCH)
        self._batches: Iterator[Floats] = (batch.numpy() for batch in batches)

    def get_next(self) -> dict[str, Floats] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def quantized(model: onnx.ModelProto, fit: Images) -> onnx.ModelProto:
    """Return the model with 8-bit convolutions, additions and pooling between float ends.

    Only those operators are listed: the normalisation before the first convolution and the last
    small linear layer cost nothing in float and would lose accuracy in 8 bits.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, prepared, result = (Path(folder) / f"{name}.onnx" for name in "abc")
        onnx.save(model, source)
        # Merges what remains unmerged and infers shapes, without which the quantiser wraps
        # each convolution on its own and the file is no faster than the float one.
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(result),
            _Reader(fit),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Relu", "Add", "GlobalAveragePool"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return _trimmed(onnx.load(result))


def _trimmed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the operator sets that the preparation declared and no node uses.

    An older runtime may refuse a file that declares a set it does not know.
    """
    used = {node.domain for node in model.graph.node}
    imports = [kept for kept in model.opset_import if kept.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(imports)
    return model
