"""NumPy archives: `inputs` [N, …] and `labels` [N], as models take them.

For recommenders: an array for each input, by its name, and `relevant` [N, R].
"""

import io
from pathlib import Path

import numpy as np

from profiler.datasets import interactions
from profiler.datasets.base import ArrayDataset, Dataset, from_samples
from tailq import artefact, samples


def read(path: Path) -> Dataset:
    """Read an .npz file. Raises ArtefactError or DatasetError naming the file."""
    archive = samples.read_archive(path)
    if interactions.RELEVANT in archive:
        return interactions.from_arrays(str(path), archive)
    return from_samples(str(path), samples.of_archive(str(path), archive))


def write(path: Path, dataset: ArrayDataset) -> None:
    """Write an .npz file, all of it or nothing. Raises ArtefactError if the disk refuses."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, inputs=dataset.values, labels=dataset.labels)
    artefact.write_bytes(path, buffer.getvalue())
