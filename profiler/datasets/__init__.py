"""Labelled data by name or path: what `--dataset` takes."""

from pathlib import Path

import numpy as np

from profiler.datasets import arrays, coco, fashion_mnist, files, interactions, manifest, speech
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


def open_dataset(
    source: str,
    labels: Path | None,
    preprocessing: Preprocessing,
    images: Path | None = None,
) -> Dataset:
    """Open labelled data.

    source: "fashion-mnist", a folder of class folders, a manifest (.csv, .jsonl), a NumPy archive
    (.npz) or a COCO file (.json). labels: a file of class names. images: the folder of the images
    that a COCO file names; None: the file's own. Raises DatasetError.
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
        return _read_manifest(path, classes, preprocessing)
    if path.suffix == ".json":
        return coco.read(path, images, classes, preprocessing)
    raise DatasetError(
        f"{source}: must be a folder, a .csv or .jsonl manifest, an .npz archive or a COCO .json"
    )


def _read_manifest(path: Path, classes: list[str] | None, preprocessing: Preprocessing) -> Dataset:
    kind, rows = manifest.read(path)
    if "relevant" in kind:
        return interactions.from_rows(path, rows)
    if "text" in kind:
        return speech.with_texts(path, rows, kind[0])
    return files.labelled_images(path, rows, classes, preprocessing)


def load_fashion_mnist(half: Half) -> ArrayDataset:
    """One half of the test images, as the models take them: [N, 1, 28, 28] in [0, 1]."""
    loaded = fashion_mnist.load_test_half(half)
    images = loaded.images.astype(np.float32)[:, None] / np.float32(255)
    return from_samples(f"{FASHION_MNIST}/{half}", Samples(images, loaded.labels))
