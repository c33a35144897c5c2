"""Labelled data by name or path: what `--dataset` takes."""

from pathlib import Path

import numpy as np

from profiler.datasets import arrays, fashion_mnist, files
from profiler.datasets.base import ArrayDataset, Dataset, Indices, from_samples
from profiler.datasets.fashion_mnist import Half
from profiler.datasets.images import Preprocessing
from profiler.errors import DatasetError
from tailq.samples import Samples

__all__ = [
    "ArrayDataset",
    "Dataset",
    "Half",
    "Indices",
    "Preprocessing",
    "load_fashion_mnist",
    "open_dataset",
]

FASHION_MNIST = "fashion-mnist"


def open_dataset(source: str, labels: Path | None, preprocessing: Preprocessing) -> Dataset:
    """Open labelled data.

    source: "fashion-mnist", a folder of class folders, a manifest (.csv, .jsonl) or a NumPy
    archive (.npz). labels: a file of class names. Raises DatasetError.
    """
    if source == FASHION_MNIST:
        return load_fashion_mnist("profile")
    path = Path(source)
    classes = None if labels is None else files.read_classes(labels)
    if path.is_dir():
        return files.read_folder(path, classes, preprocessing)
    if not path.exists():
        raise DatasetError(
            f"{source}: there is no such file or folder, nor a data set of that name"
        )
    if path.suffix == ".npz":
        return arrays.read(path)
    if path.suffix in (".csv", ".jsonl"):
        return files.read_manifest(path, classes, preprocessing)
    raise DatasetError(f"{source}: must be a folder, a .csv or .jsonl manifest, or an .npz archive")


def load_fashion_mnist(half: Half) -> ArrayDataset:
    """One half of the test images, as the models take them: [N, 1, 28, 28] in [0, 1]."""
    loaded = fashion_mnist.load_test_half(half)
    images = loaded.images.astype(np.float32)[:, None] / np.float32(255)
    return from_samples(f"{FASHION_MNIST}/{half}", Samples(images, loaded.labels))
