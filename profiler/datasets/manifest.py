"""Manifests: one labelled sample a row, as CSV or as JSON lines."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from profiler.errors import DatasetError

# What the columns of a row may be, by the kind of samples; an example of each as a JSON line.
KINDS = {
    ("path", "label"): '{"path": "a.png", "label": "cat"}',
    ("audio", "text"): '{"audio": "a.wav", "text": "hello world"}',
    ("input", "text"): '{"input": "bonjour", "text": "hello"}',
    ("inputs", "relevant"): '{"inputs": {"user": [3]}, "relevant": [1, 2]}',
}


@dataclass(frozen=True, slots=True)
class Row:
    """line: in the file, from 1. values: of the columns that its kind has."""

    line: int
    values: dict[str, Any]


def read(path: Path) -> tuple[tuple[str, str], list[Row]]:
    """Read a manifest: of which kind it is, told by its first row, and all rows, at least one.

    Raises DatasetError naming the line.
    """
    rows = list(_json_lines(path) if path.suffix == ".jsonl" else _csv(path))
    if not rows:
        raise DatasetError(f"{path}: names no samples")
    kind = _kind(rows[0])
    for row in rows:
        if any(name not in row.values for name in kind):
            raise DatasetError(f"{path}:{row.line}: is not like {KINDS[kind]}")
        if any(_missing(name, row.values[name]) for name in kind):
            raise DatasetError(f"{path}:{row.line}: {' or '.join(kind)} is empty")
    return kind, rows


def read_text(path: Path) -> str:
    """The text of a file. Raises DatasetError."""
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: is not UTF-8 text") from None


def _kind(row: Row) -> tuple[str, str]:
    for kind in KINDS:
        if all(name in row.values for name in kind):
            return kind
    return next(iter(KINDS))


def _missing(name: str, value: Any) -> bool:
    """A text may be empty, where nothing was said, but not left out."""
    return value is None or (value == "" and name != "text")


def _csv(path: Path) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(read_text(path)))
    try:
        yield from _rows(path, reader)
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is not CSV ({error})") from None


def _rows(path: Path, reader: "csv.DictReader[str]") -> Iterator[Row]:
    columns = reader.fieldnames or []
    if not any(set(kind) <= set(columns) for kind in KINDS):
        raise DatasetError(
            f"{path}: must have the columns {' or '.join(' and '.join(kind) for kind in KINDS)}, "
            f"not {', '.join(columns) or 'none'}"
        )
    for row in reader:
        if None in row:  # the name of what is beyond the columns
            raise DatasetError(
                f"{path}:{reader.line_num}: has more fields than there are columns; put a text "
                "with commas into double quotes"
            )
        yield Row(reader.line_num, dict(row))


def _json_lines(path: Path) -> Iterator[Row]:
    # Not splitlines: it also cuts at separators that may stand in a text.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise DatasetError(f"{path}:{number}: is not like {' or '.join(KINDS.values())}")
        yield Row(number, values)
