"""Labelled samples as tensors: an .npz with `inputs` and `labels`."""

import zipfile
import zlib
from collections.abc import Mapping
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
    return of_archive(str(path), read_archive(path))


def of_archive(name: str, arrays: Mapping[str, NDArray[Any]]) -> Samples:
    """Make samples of an archive's `inputs` and `labels`. Raises ArtefactError like `checked`."""
    missing = [array for array in ("inputs", "labels") if array not in arrays]
    if missing:
        raise ArtefactError(
            f"{name}: has no array {' and no array '.join(missing)}, only: "
            f"{', '.join(arrays) or 'nothing'}"
        )
    return checked(name, arrays["inputs"], arrays["labels"])


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


def read_archive(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file by name, as they are stored; never unpickled.

    Raises ArtefactError naming the file if it cannot be read.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError, TypeError):
        raise ArtefactError(
            f"{path}: is not a NumPy archive of plain arrays (numpy.savez writes one)"
        ) from None
