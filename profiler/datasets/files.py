"""Which image has which label: a folder of class folders, or a manifest (CSV or JSON lines)."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from profiler.datasets.images import ImageDataset, Preprocessing, from_files
from profiler.errors import DatasetError

_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def read_classes(path: Path) -> list[str]:
    """Read class names, one a line; the first is class 0. Raises DatasetError."""
    names = [line.strip() for line in _text(path).splitlines() if line.strip()]
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
    return from_files(str(folder), files, labels, preprocessing)


def read_manifest(
    path: Path, classes: list[str] | None, preprocessing: Preprocessing
) -> ImageDataset:
    """Read a manifest with the columns `path` (relative to it) and `label` (index or class name).

    classes: names of the classes in the model's order; None: alphabetical, where labels are
    names. Raises DatasetError naming the line.
    """
    rows = list(_json_lines(path) if path.suffix == ".jsonl" else _csv(path))
    if not rows:
        raise DatasetError(f"{path}: names no samples")
    by_index = classes is None and all(label.isdigit() for _, _, label in rows)
    names = classes if classes is not None else sorted({label for _, _, label in rows})
    labels = [
        int(label) if by_index else _index(f"{path}:{line}", label, names)
        for line, _, label in rows
    ]
    files = [path.parent / file for _, file, _ in rows]
    return from_files(str(path), files, labels, preprocessing)


def _index(place: str, label: str, names: list[str]) -> int:
    if label in names:
        return names.index(label)
    if label.isdigit() and int(label) < len(names):
        return int(label)
    raise DatasetError(
        f"{place}: label {label!r} is neither one of the {len(names)} classes nor an index of one"
    )


def _csv(path: Path) -> Iterator[tuple[int, str, str]]:
    reader = csv.DictReader(_text(path).splitlines())
    missing = {"path", "label"} - set(reader.fieldnames or [])
    if missing:
        raise DatasetError(f"{path}: has no column {' and no column '.join(sorted(missing))}")
    for row in reader:
        if not row["path"] or not row["label"]:
            raise DatasetError(f"{path}:{reader.line_num}: path or label is empty")
        yield reader.line_num, row["path"], row["label"].strip()


def _json_lines(path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield number, str(row["path"]), str(row["label"])
        except (ValueError, TypeError, KeyError):
            raise DatasetError(
                f'{path}:{number}: is not like {{"path": "a.png", "label": "cat"}}'
            ) from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: is not UTF-8 text") from None
