"""The Parquet files of measured columns, and profiles opened with them."""

import json
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from profiler.record.observations import (
    Answers,
    Observations,
    concatenate,
    decode,
    encode,
    open_profile,
)
from tailq.errors import ArtefactError
from tests.profiler.columns import VARIANTS, answers, observations, stored

ANSWERS = answers([[True, False, True], [True, True, True]])
OBSERVED = concatenate(
    [
        observations([0.01, 0.02, math.inf], [True, False, True], [0, 0, 1]),
        observations([0.03, 0.04, 0.05], [True, True, True], [0, 0, 1], variant=1),
    ]
)


def same(one: Answers | Observations, other: Answers | Observations) -> bool:
    return one.variants == other.variants and all(
        np.array_equal(getattr(one, f.name), getattr(other, f.name))
        and getattr(one, f.name).dtype == getattr(other, f.name).dtype
        for f in fields(one)
        if f.name != "variants"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stored profile."""
    return stored(tmp_path / "profile", ANSWERS, OBSERVED, deadline_s=0.025)


def test_columns_survive_the_round_trip() -> None:
    """What is read back is what was written, types and metadata included."""
    read, metadata = decode(encode(ANSWERS, {"a": "b"}), Answers, VARIANTS, place="x")
    assert same(read, ANSWERS)
    assert metadata == {"a": "b"}
    assert same(decode(encode(OBSERVED), Observations, VARIANTS, place="x")[0], OBSERVED)


def test_variants_are_read_in_the_asked_order() -> None:
    """Indices follow the reader's order of names, not the file's."""
    read, _ = decode(encode(ANSWERS), Answers, VARIANTS[::-1], place="x")
    assert read.variant.tolist() == [1, 1, 1, 0, 0, 0]


def test_nan_is_refused() -> None:
    """A latency that is not a number is an error, not a figure."""
    latency = OBSERVED.latency_s.copy()
    latency[0] = math.nan
    with pytest.raises(ArtefactError, match=r"x: column latency_s contains NaN"):
        decode(encode(replace(OBSERVED, latency_s=latency)), Observations, VARIANTS, place="x")


def test_unknown_variants_are_refused() -> None:
    """A file that names a variant which was not profiled belongs to something else."""
    with pytest.raises(ArtefactError, match="not profiled: good"):
        decode(encode(ANSWERS), Answers, VARIANTS[:1], place="x")


def test_other_columns_are_refused() -> None:
    """Answers are not observations."""
    with pytest.raises(ArtefactError, match="other columns"):
        decode(encode(ANSWERS), Observations, VARIANTS, place="x")


def test_a_profile_opens_as_it_was_stored(folder: Path) -> None:
    """Summary and both tables come back, and any Parquet reader understands the files."""
    opened = open_profile(folder)
    assert same(opened.answers, ANSWERS)
    assert same(opened.observations, OBSERVED)
    assert opened.profile.variants[0].quality == pytest.approx(2 / 3)
    table = pq.read_table(folder / "observations.parquet")
    assert table["variant"].to_pylist()[:1] == ["fast"]
    assert table["latency_s"].to_pylist()[:2] == [0.01, 0.02]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def remove(path: Path) -> None:
    path.unlink()


def garble(path: Path) -> None:
    path.write_text("{ not JSON")


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("observations.parquet", truncate, r"observations\.parquet: .*truncated.*measure again"),
        ("answers.parquet", truncate, r"answers\.parquet: .*truncated.*measure again"),
        ("answers.parquet", remove, r"answers\.parquet: cannot be read.*measure again"),
        ("profile.json", garble, r"profile\.json: content"),
        ("profile.json", remove, r"profile\.json: cannot be read"),
    ],
)
def test_a_damaged_profile_is_refused(
    folder: Path, name: str, damage: Callable[[Path], None], message: str
) -> None:
    """The error names the file and what to do."""
    damage(folder / name)
    with pytest.raises(ArtefactError, match=message):
        open_profile(folder)


def test_a_truncated_file_with_its_own_digest_is_refused(folder: Path) -> None:
    """Even where the digest was made to fit, what is no Parquet file is refused as such."""
    from profiler.record.observations import digest

    path = folder / "observations.parquet"
    truncate(path)
    said = json.loads((folder / "profile.json").read_text())
    said["files"]["observations.parquet"] = digest(path.read_bytes())
    (folder / "profile.json").write_text(json.dumps(said))
    with pytest.raises(ArtefactError, match=r"observations\.parquet: is truncated or not"):
        open_profile(folder)


def test_a_missing_profile_is_refused(tmp_path: Path) -> None:
    """The error says how to make one."""
    with pytest.raises(ArtefactError, match="no such profile; measure one: tailq-profile run"):
        open_profile(tmp_path / "nowhere")
