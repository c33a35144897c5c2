"""From trained networks to one ONNX file per variant, checked against the network it came from."""

import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from .data import SIDE, Images
from .errors import BuildError
from .files import write_atomically
from .networks import Averaged
from .quantize import quantized
from .runtime import logits_of
from .train import load
from .variants import VARIANTS, Variant

OPSET = 17  # onnxruntime 1.19, in the Triton 24.10 container, reads it
IR_VERSION = 8
HALF_FROM = 4_096  # smallest tensor, in elements, worth storing in half precision
TOLERANCE = 2e-2  # largest difference of logits that half-precision weights may make


def assembled(variant: Variant, work: Path) -> nn.Module:
    """Return the variant as one module, [n, 1, 28, 28] to logits [n, 10]."""
    members = [load(work, name) for name in variant.members]
    if len(members) == 1 and variant.views == ("image",):
        return members[0]
    return Averaged(members, variant.views).eval()


def exported(network: nn.Module) -> onnx.ModelProto:
    """Trace the network; batch normalisation is folded into the convolutions on the way."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        # This exporter is the one that folds the normalisation; its successor leaves that to
        # each runtime, and the quantiser needs it folded here.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "Constant folding")  # the mirror's slice; harmless
        torch.onnx.export(
            network,
            (torch.zeros(1, 1, SIDE, SIDE),),
            file,
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["logits"],
            dynamic_axes={"images": {0: "batch"}, "logits": {0: "batch"}},
        )
        model = onnx.load(file)
    model.ir_version = IR_VERSION
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the large weights in half precision, each with a cast back to float.

    The runtime folds the casts when it loads the file: it computes in float, at the same speed,
    from a file of half the size.
    """
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < HALF_FROM:
            continue
        name = tensor.name
        stored = numpy_helper.from_array(values.astype(np.float16), f"{name}.half")
        tensor.CopyFrom(stored)
        casts.append(
            helper.make_node("Cast", [f"{name}.half"], [name], f"{name}.cast", to=TensorProto.FLOAT)
        )
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def export(name: str, work: Path, repository: Path, fit: Images) -> None:
    """Write one variant's ONNX file. Images to fit are the ones an 8-bit variant calibrates on."""
    variant = VARIANTS[name]
    network = assembled(variant, work)
    model = exported(network)
    if variant.int8:
        model = quantized(model, fit)
    elif variant.half:
        model = halved(model)
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString()
    if not variant.int8:
        _compare(name, network, content, fit)
    write_atomically(repository / "fashion" / name / "1" / "model.onnx", content)
    print(f"{name}: {len(content) / 1e6:.2f} MB", flush=True)


def _compare(name: str, network: nn.Module, content: bytes, images: Images) -> None:
    """Refuse a file whose logits differ from the network's on a few batches of odd sizes."""
    for size in (1, 3, 32):
        pixels = images.pixels[:size]
        with torch.inference_mode():
            expected = network(pixels).numpy()
        difference = float(np.abs(expected - logits_of(content, pixels.numpy())).max())
        if difference > TOLERANCE:
            raise BuildError(f"{name}: the file's logits differ from the network's: {difference}")
