"""Labelled samples of the profile that the gateway may send itself: `probes.npz`.

Contract only: to be written.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FILE = "probes.npz"


@dataclass(frozen=True)
class Probes:
    """N samples. profile: id of the profile. inputs: by name of the tensor, [N, ...] each.

    datatypes: of the inputs, as the Open Inference Protocol names them. labels: [N] the right
    class. answers: by variant, [N] the class it answered in the profile.
    """

    profile: str
    inputs: dict[str, NDArray[Any]]
    datatypes: dict[str, str]
    labels: NDArray[np.int64]
    answers: dict[str, NDArray[np.int64]]


def read(path: Path) -> Probes:
    """Read it. Raises ArtefactError."""
    raise NotImplementedError


def write(path: Path, probes: Probes) -> None:
    """Write it at once or not at all."""
    raise NotImplementedError
