"""Labelled samples of the profile that the gateway may send itself: `probes.npz`.

A NumPy archive of plain arrays, nothing of it pickled: `profile`, `labels`, `answers/VARIANT`, and
`input/NAME` with its `datatype/NAME` for each input of the models.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailq import artefact
from tailq.datatypes import DTYPES
from tailq.errors import ArtefactError
from tailq.samples import read_archive

FILE = "probes.npz"

_INPUT, _DATATYPE, _ANSWERS = "input/", "datatype/", "answers/"


@dataclass(frozen=True)
class Probes:
    """N samples. profile: id of the profile. labels: [N] the right class.

    inputs: by name of the tensor, [N, *shape]: `inputs[name][n]` is the whole tensor of the request
    of sample n, its batch dimension of 1 included where the models have one. datatypes: of the
    inputs, as the Open Inference Protocol names them. answers: by variant, [N] the class it
    answered in the profile.
    """

    profile: str
    inputs: dict[str, NDArray[Any]]
    datatypes: dict[str, str]
    labels: NDArray[np.int64]
    answers: dict[str, NDArray[np.int64]]


def read(path: Path) -> Probes:
    """Read it. Raises ArtefactError if it cannot be read, or is not as `Probes` says."""
    arrays = read_archive(path)
    try:
        return _checked(arrays)
    except ValueError as error:
        raise ArtefactError(
            f"{path}: {error}; `tailq-profile probes` writes such a file from a profile"
        ) from None


def write(path: Path, probes: Probes) -> None:
    """Write it at once or not at all. Raises ArtefactError if the disk does not allow it."""
    artefact.write_bytes(path, encode(probes))


def encode(probes: Probes) -> bytes:
    """The content of the file."""
    content = io.BytesIO()
    np.savez(
        content,
        profile=np.array(probes.profile),
        labels=probes.labels,
        **{_ANSWERS + name: classes for name, classes in probes.answers.items()},
        **{_INPUT + name: values for name, values in probes.inputs.items()},
        **{_DATATYPE + name: np.array(type_) for name, type_ in probes.datatypes.items()},
    )
    return content.getvalue()


def _checked(arrays: Mapping[str, NDArray[Any]]) -> Probes:
    inputs, answers = _under(_INPUT, arrays), _under(_ANSWERS, arrays)
    labels = _classes("labels", _array("labels", arrays))
    datatypes = {name: _text(_DATATYPE + name, arrays) for name in inputs}
    if not inputs or not answers:
        raise ValueError(f"has no array {_ANSWERS if inputs else _INPUT}…")
    for name, values in inputs.items():
        _check_input(_INPUT + name, values, datatypes[name])
    for name, values in [
        *((_INPUT + name, values) for name, values in inputs.items()),
        *((_ANSWERS + name, values) for name, values in answers.items()),
    ]:
        if len(values) != len(labels):
            raise ValueError(f"{name} is of {len(values)} samples, labels of {len(labels)}")
    return Probes(
        profile=_text("profile", arrays),
        inputs={name: np.ascontiguousarray(values) for name, values in inputs.items()},
        datatypes=datatypes,
        labels=labels,
        answers={name: _classes(_ANSWERS + name, values) for name, values in answers.items()},
    )


def _under(front: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = {name: values for name, values in arrays.items() if name.startswith(front)}
    for name, values in found.items():
        if values.ndim == 0:
            raise ValueError(f"{name} is a single value; expected one for each sample")
    return {name.removeprefix(front): values for name, values in found.items()}


def _array(name: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    if name not in arrays:
        raise ValueError(f"has no array {name}, only: {', '.join(arrays) or 'nothing'}")
    return arrays[name]


def _text(name: str, arrays: Mapping[str, NDArray[Any]]) -> str:
    value = _array(name, arrays)
    if value.ndim != 0 or value.dtype.kind != "U":
        raise ValueError(f"{name} is not a text")
    return str(value)


def _classes(name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    if values.ndim != 1 or values.dtype.kind not in "iu":
        raise ValueError(f"{name} must be [N] integers, not {list(values.shape)} {values.dtype}")
    if values.size == 0:
        raise ValueError(f"{name} holds no samples")
    if not 0 <= int(values.min()) <= int(values.max()) < 2**31:
        raise ValueError(f"{name} holds a number that is no class")
    return values.astype(np.int64)


def _check_input(name: str, values: NDArray[Any], datatype: str) -> None:
    if datatype not in DTYPES:
        raise ValueError(f"{name} is of datatype {datatype}; supported are {', '.join(DTYPES)}")
    if values.dtype != DTYPES[datatype]:
        raise ValueError(f"{name} is said to be {datatype} and holds {values.dtype}")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"{name} contains NaN or infinity")
