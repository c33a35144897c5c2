"""Running an ONNX file as it will be served: onnxruntime, CPU, one thread."""

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from .data import SIDE

Floats = npt.NDArray[np.float32]
BATCH = 32  # the served max_batch_size
ROUNDS, CALLS, WARM = 9, 120, 30


def session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """Open a model with one thread, as config.pbtxt asks of Triton's backend."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def logits_of(model: bytes | Path, pixels: Floats) -> Floats:
    """Return logits [n, 10] for pixels [n, 1, 28, 28], in batches as large as are served."""
    runner = session(model)
    parts = [
        runner.run(["logits"], {"images": pixels[start : start + BATCH]})[0]
        for start in range(0, len(pixels), BATCH)
    ]
    return np.concatenate(parts)


def latency(model: Path) -> float:
    """Return the milliseconds of one single-image call: the least of several medians.

    Other work on the machine only ever adds time, so the quietest round is the nearest to the
    cost on a core of one's own.
    """
    runner = session(model)
    image = np.random.default_rng(0).random((1, 1, SIDE, SIDE), np.float32)
    medians = []
    for _ in range(ROUNDS):
        times = []
        for call in range(WARM + CALLS):
            start = time.perf_counter()
            runner.run(["logits"], {"images": image})
            if call >= WARM:
                times.append(time.perf_counter() - start)
        medians.append(float(np.median(times)))
    return min(medians) * 1e3
