"""Which image has which label: a folder of class folders, or a manifest (CSV or JSON lines)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from profiler.datasets.images import ImageDataset, Preprocessing, from_files
from profiler.datasets.manifest import Row, read_text
from profiler.errors import DatasetError

_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def read_classes(path: Path) -> list[str]:
    """Read class names, one a line; the first is class 0. Raises DatasetError."""
    names = [line.strip() for line in read_text(path).splitlines() if line.strip()]
    if not names or len(set(names)) != len(names):
        raise DatasetError(f"{path}: must name each class once, one a line")
    return names


def read_folder(
    folder: Path, classes: list[str] | None, preprocessing: Preprocessing
) -> ImageDataset:
    """Read a folder that has one folder of images for each class.

    classes: names of the classes in the model's order; None: alphabetical. Raises DatasetError.
    """
    folders = {path.name: path for path in sorted(folder.iterdir()) if path.is_dir()}
    names = classes if classes is not None else list(folders)
    if not folders:
        raise DatasetError(f"{folder}: has no class folders in it")
    files: list[Path] = []
    labels: list[int] = []
    for name, path in folders.items():
        images = sorted(p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES)
        if not images:
            raise DatasetError(f"{path}: holds no images ({', '.join(sorted(_SUFFIXES))})")
        if name not in names:
            raise DatasetError(f"{path}: its class {name!r} is not in the labels file")
        files += images
        labels += [names.index(name)] * len(images)
    return from_files(str(folder), files, np.array(labels, dtype=np.int64), preprocessing)


def labelled_images(
    path: Path, rows: Sequence[Row], classes: list[str] | None, preprocessing: Preprocessing
) -> ImageDataset:
    """Take images from the rows of a manifest: `path` (relative to it), `label` (index or name).

    classes: names of the classes in the model's order; None: alphabetical, where labels are
    names. Raises DatasetError naming the line.
    """
    given = [str(row.values["label"]).strip() for row in rows]
    by_index = classes is None and all(label.isdecimal() for label in given)
    names = classes if classes is not None else sorted(set(given))
    labels = [
        int(label) if by_index else _index(f"{path}:{row.line}", label, names)
        for row, label in zip(rows, given, strict=True)
    ]
    files = [path.parent / str(row.values["path"]) for row in rows]
    return from_files(str(path), files, np.array(labels, dtype=np.int64), preprocessing)


def _index(place: str, label: str, names: list[str]) -> int:
    if label in names:
        return names.index(label)
    if label.isdecimal() and int(label) < len(names):
        return int(label)
    raise DatasetError(
        f"{place}: label {label!r} is neither one of the {len(names)} classes nor an index of one"
    )
