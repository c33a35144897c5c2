"""NumPy archives: `inputs` [N, …] and `labels` [N], as models take them."""

import io
from pathlib import Path

import numpy as np

from profiler.datasets.base import ArrayDataset, from_samples
from tailq import artefact, samples


def read(path: Path) -> ArrayDataset:
    """Read an .npz file. Raises ArtefactError naming the file."""
    return from_samples(str(path), samples.read(path))


def write(path: Path, dataset: ArrayDataset) -> None:
    """Write an .npz file, all of it or nothing. Raises ArtefactError if the disk refuses."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, inputs=dataset.values, labels=dataset.labels)
    artefact.write_bytes(path, buffer.getvalue())
