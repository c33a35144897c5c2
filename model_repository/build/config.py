"""Each variant's config.pbtxt, for Triton's onnxruntime backend."""

from pathlib import Path

from .data import CLASSES, SIDE
from .files import write_atomically
from .runtime import BATCH

TEMPLATE = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: {batch}

# Pixels in [0, 1]; the normalisation is part of the graph.
input [
  {{
    name: "images"
    data_type: TYPE_FP32
    dims: [ 1, {side}, {side} ]
  }}
]
output [
  {{
    name: "logits"
    data_type: TYPE_FP32
    dims: [ {classes} ]
  }}
]

# Whatever waits is served together; nothing is held back in the hope of a fuller batch.
# There is no queue policy and no priority: order and deadlines are decided before Triton.
dynamic_batching {{ }}

# On a machine with a GPU: kind: KIND_GPU gpus: [ 0 ]
instance_group [
  {{
    count: 1
    kind: KIND_CPU
  }}
]

# One thread an instance, so that a call's cost does not depend on what runs beside it.
parameters {{ key: "intra_op_thread_count" value {{ string_value: "1" }} }}
parameters {{ key: "inter_op_thread_count" value {{ string_value: "1" }} }}
"""


def write_config(name: str, repository: Path) -> None:
    """Write the Triton configuration of one variant beside its version folder."""
    text = TEMPLATE.format(name=name, batch=BATCH, side=SIDE, classes=CLASSES)
    write_atomically(repository / "fashion" / name / "config.pbtxt", text.encode())
