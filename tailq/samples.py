"""Labelled samples as tensors: an .npz with `inputs` and `labels`."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailq.errors import ArtefactError


@dataclass(frozen=True)
class Samples:
    """inputs: [N, …] float32, one sample each. labels: [N] int64, the right class of each."""

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]


def read(path: Path) -> Samples:
    """Read labelled samples. Raises ArtefactError if the file is not what it should be."""
    return checked(str(path), *_read_archive(path))


def checked(name: str, inputs: NDArray[Any], labels: NDArray[Any]) -> Samples:
    """Make samples of arrays: inputs [N, …] finite numbers, labels [N] integers from 0 on.

    name: of the file or data set, for the error. Raises ArtefactError.
    """
    if inputs.ndim < 2 or labels.ndim != 1 or len(inputs) != len(labels):
        raise ArtefactError(
            f"{name}: inputs must be [N, …] and labels [N], not {list(inputs.shape)} and "
            f"{list(labels.shape)}"
        )
    if len(labels) == 0:
        raise ArtefactError(f"{name}: holds no samples")
    if inputs.dtype.kind not in "fiu" or labels.dtype.kind not in "iu":
        raise ArtefactError(
            f"{name}: inputs must be numbers and labels integers, not {inputs.dtype} and "
            f"{labels.dtype}"
        )
    if not np.isfinite(inputs).all():
        raise ArtefactError(f"{name}: inputs contain NaN or infinity")
    if int(labels.min()) < 0:
        raise ArtefactError(f"{name}: label {int(labels.min())} is negative; classes count from 0")
    return Samples(np.ascontiguousarray(inputs, dtype=np.float32), labels.astype(np.int64))


def _read_archive(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays `inputs` and `labels` as they are stored; never unpickled.

    Raises ArtefactError naming the file if it cannot be read or lacks one of them.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            missing = [name for name in ("inputs", "labels") if name not in archive]
            if missing:
                raise ArtefactError(
                    f"{path}: has no array {' and no array '.join(missing)}, only: "
                    f"{', '.join(archive.files) or 'nothing'}"
                )
            return archive["inputs"], archive["labels"]
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError):
        raise ArtefactError(
            f"{path}: is not a NumPy archive of plain arrays (numpy.savez writes one)"
        ) from None
