"""Labelled samples as tensors: an .npz with `inputs` and `labels`."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

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
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            inputs, labels = arrays["inputs"], arrays["labels"]
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror or error})") from None
    except KeyError as error:
        raise ArtefactError(f"{path}: lacks the array {error.args[0]}") from None
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise ArtefactError(f"{path}: is not a readable .npz ({error})") from None
    if inputs.ndim < 2 or labels.shape != inputs.shape[:1] or labels.dtype.kind not in "iu":
        raise ArtefactError(
            f"{path}: wants inputs [N, …] and integer labels [N], "
            f"has {inputs.shape} and {labels.dtype} {labels.shape}"
        )
    if not np.isfinite(inputs).all():
        raise ArtefactError(f"{path}: inputs contain NaN or infinity")
    return Samples(inputs.astype(np.float32, copy=False), labels.astype(np.int64, copy=False))
