"""The measured columns: what they are, their Parquet schema, reading and writing them.

Variants are small integers in memory and names in the files. One rule for both tables: no nulls,
no NaN. A request that failed has ok = False, latency_s = inf, answer = "", confidence and score 0.
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tailq import profile as profiles
from tailq.errors import ArtefactError
from tailq.profile import Profile

_VARIANT = _TEXT = pa.dictionary(pa.int32(), pa.string())

ANSWERS_SCHEMA = pa.schema(
    [
        pa.field(name, type_, nullable=False)
        for name, type_ in (
            ("variant", _VARIANT),
            ("sample", pa.int32()),
            ("label", _TEXT),
            ("answer", _TEXT),
            ("confidence", pa.float32()),
            ("score", pa.float32()),
        )
    ]
)
OBSERVATIONS_SCHEMA = pa.schema(
    [
        pa.field(name, type_, nullable=False)
        for name, type_ in (
            ("variant", _VARIANT),
            ("sample", pa.int32()),
            ("round", pa.int32()),
            ("load", pa.int32()),
            ("rate", pa.float64()),
            ("alone", pa.bool_()),
            ("sent_s", pa.float64()),
            ("latency_s", pa.float64()),
            ("answer", _TEXT),
            ("confidence", pa.float32()),
            ("score", pa.float32()),
            ("ok", pa.bool_()),
        )
    ]
)


@dataclass(frozen=True, slots=True)
class _Columns:
    variants: tuple[str, ...]
    variant: NDArray[np.int32]

    def __len__(self) -> int:
        return int(self.variant.size)

    def where(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """The rows selected by a mask [n] or by indices."""
        columns = {
            field.name: getattr(self, field.name)[rows]
            for field in fields(self)
            if field.name != "variants"
        }
        return type(self)(variants=self.variants, **columns)


@dataclass(frozen=True, slots=True)
class Answers(_Columns):
    """What every variant answers to every sample. Each array is [n], one row a (variant, sample).

    variant: index into `variants`. sample: index of the sample. label, answer: JSON as the task
    writes it (profiler/tasks), a class being its number. confidence: in [0, 1]. score: how good
    the answer is by itself, in [0, 1]; for top-1 whether it is right.
    """

    sample: NDArray[np.int32]
    label: NDArray[np.object_]
    answer: NDArray[np.object_]
    confidence: NDArray[np.float32]
    score: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Observations(_Columns):
    """The timed requests, jointly what was answered and when. Each array is [n].

    variant: index into `variants`. round: counted from 0 in each condition, which is load, rate
    and alone together. load: requests in flight on the device in a closed loop, this one included;
    0 in an open one. rate: requests a second in an open loop, 0 in a closed one. alone: no other
    variant is asked meanwhile. sent_s: seconds of measuring before it was sent (in an open loop,
    before it was due). latency_s: send to answer, client side; inf if it failed (then ok is False).
    answer, confidence, score: as in Answers.
    """

    sample: NDArray[np.int32]
    round: NDArray[np.int32]
    load: NDArray[np.int32]
    rate: NDArray[np.float64]
    alone: NDArray[np.bool_]
    sent_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    answer: NDArray[np.object_]
    confidence: NDArray[np.float32]
    score: NDArray[np.float32]
    ok: NDArray[np.bool_]


Table = TypeVar("Table", Answers, Observations)


@dataclass(frozen=True, slots=True)
class OpenProfile:
    """A profile with its measurements; `variants` of both tables are in the profile's order."""

    folder: Path
    profile: Profile
    answers: Answers
    observations: Observations


def concatenate(parts: Sequence[Table]) -> Table:
    """Join tables of the same variants, at least one."""
    first = parts[0]
    columns = {
        field.name: np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(first)
        if field.name != "variants"
    }
    return type(first)(variants=first.variants, **columns)


def encode(columns: Answers | Observations, metadata: Mapping[str, str] | None = None) -> bytes:
    """The columns as a Parquet file. metadata: kept beside the schema."""
    schema = ANSWERS_SCHEMA if isinstance(columns, Answers) else OBSERVATIONS_SCHEMA
    arrays = [
        pa.DictionaryArray.from_arrays(columns.variant, list(columns.variants))
        if name == "variant"
        else _column(getattr(columns, name), schema.field(name).type)
        for name in schema.names
    ]
    table = pa.Table.from_arrays(arrays, schema=schema.with_metadata(metadata))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _column(values: NDArray[Any], type_: pa.DataType) -> pa.Array:
    if type_ == _TEXT:
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values)


def decode(
    content: bytes, kind: type[Table], variants: Sequence[str], *, place: str
) -> tuple[Table, dict[str, str]]:
    """Read a Parquet file written by `encode`, and its metadata.

    variants: the names that may occur, in the order their indices are to have. place: named in
    errors. Raises ArtefactError if it is truncated, of another schema, or holds nulls or NaN.
    """
    schema = ANSWERS_SCHEMA if kind is Answers else OBSERVATIONS_SCHEMA
    try:
        table = pq.read_table(io.BytesIO(content))
    except (pa.ArrowException, OSError):
        raise ArtefactError(
            f"{place}: is truncated or not a Parquet file; restore it or measure again"
        ) from None
    if not table.schema.equals(schema, check_metadata=False):
        raise ArtefactError(
            f"{place}: has other columns than this version of tailq writes; measure again"
        )
    columns = {name: table[name].to_numpy() for name in schema.names if name != "variant"}
    for name, values in columns.items():
        if values.dtype.kind == "f" and np.isnan(values).any():
            raise ArtefactError(f"{place}: column {name} contains NaN; measure again")
    metadata = {
        key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()
    }
    read = kind(
        variants=tuple(variants), variant=_variant(table["variant"], variants, place), **columns
    )
    return read, metadata


def _variant(column: pa.ChunkedArray, variants: Sequence[str], place: str) -> NDArray[np.int32]:
    if len(column) == 0:
        return np.empty(0, dtype=np.int32)
    unified = column.unify_dictionaries().combine_chunks()
    position = {name: index for index, name in enumerate(variants)}
    names = unified.dictionary.to_pylist()
    unknown = sorted(set(names) - set(position))
    if unknown:
        raise ArtefactError(f"{place}: names variants that were not profiled: {', '.join(unknown)}")
    codes = np.array([position[name] for name in names], dtype=np.int32)
    return np.asarray(codes[unified.indices.to_numpy()], dtype=np.int32)


def digest(content: bytes) -> str:
    """SHA-256 of a file's content, as `Profile.files` holds it."""
    return hashlib.sha256(content).hexdigest()


def open_profile(folder: Path) -> OpenProfile:
    """Open the profile in `folder` with all it rests on.

    Raises ArtefactError if a file is missing, truncated, corrupt, or not the one measured.
    """
    if not folder.is_dir():
        raise ArtefactError(f"{folder}: there is no such profile; measure one: tailq-profile run")
    profile = profiles.read(folder)
    names = [variant.name for variant in profile.variants]
    answers = _content(folder / profiles.ANSWERS, profile)
    observations = _content(folder / profiles.OBSERVATIONS, profile)
    return OpenProfile(
        folder,
        profile,
        decode(answers, Answers, names, place=str(folder / profiles.ANSWERS))[0],
        decode(observations, Observations, names, place=str(folder / profiles.OBSERVATIONS))[0],
    )


def _content(path: Path, profile: Profile) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtefactError(
            f"{path}: cannot be read ({error.strerror}); restore it or measure again"
        ) from None
    if digest(content) != profile.files.get(path.name):
        raise ArtefactError(
            f"{path}: is not the file that was measured (its SHA-256 differs from "
            f"{profiles.FILE}): truncated or changed; restore it or measure again"
        )
    return content
