"""Write the JSON Schema of every artefact, and the tables of Parquet columns, into this folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
from pydantic import TypeAdapter

from gateway.live.view import LiveView
from loadtest.report import Report
from profiler.gates.changes import Compared
from profiler.gates.verdicts import Checked
from profiler.record.observations import ANSWERS_SCHEMA, OBSERVATIONS_SCHEMA
from profiler.tiers.spec import TiersSpec
from tailq.artefact import write_bytes
from tailq.profile import ANSWERS, OBSERVATIONS, Profile
from tailq.sweep import Sweep
from tailq.tier import TierTable

FOLDER = Path(__file__).parent
DIALECT = "https://json-schema.org/draft/2020-12/schema"
README = "README.md"

# What we write has every field; of what people write, those with a default may be left out.
Mode = Literal["serialization", "validation"]
ARTEFACTS: Mapping[str, tuple[type[Any], Mode]] = {
    "profile": (Profile, "serialization"),
    "tiers": (TierTable, "serialization"),
    "tiers-spec": (TiersSpec, "validation"),
    "sweep": (Sweep, "serialization"),
    "check": (Checked, "serialization"),
    "comparison": (Compared, "serialization"),
    "load-report": (Report, "serialization"),
    "live": (LiveView, "serialization"),
}
TABLES = {ANSWERS: ANSWERS_SCHEMA, OBSERVATIONS: OBSERVATIONS_SCHEMA}


def contents() -> dict[str, str]:
    """Every generated file by its name."""
    files = {f"{name}.schema.json": _schema(*artefact) for name, artefact in ARTEFACTS.items()}
    return files | {README: _with_columns((FOLDER / README).read_text("utf-8"))}


def _schema(model: type[Any], mode: Mode) -> str:
    schema = {"$schema": DIALECT, **TypeAdapter(model).json_schema(mode=mode)}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _with_columns(readme: str) -> str:
    """Put the columns of each Parquet file between its markers."""
    for name, schema in TABLES.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, _, rest = readme.partition(begin)
        _, _, after = rest.partition(end)
        readme = before + begin + _columns(schema) + end + after
    return readme


def _columns(schema: pa.Schema) -> str:
    rows = "".join(f"| `{field.name}` | {_type(field.type)} |\n" for field in schema)
    return f"| column | type |\n| --- | --- |\n{rows}"


def _type(type_: pa.DataType) -> str:
    return f"{type_.value_type}, as a dictionary" if pa.types.is_dictionary(type_) else str(type_)


if __name__ == "__main__":
    for name, content in contents().items():
        write_bytes(FOLDER / name, content.encode())
