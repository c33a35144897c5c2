"""The published schemas are those of the models, and real artefacts satisfy them."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator, ValidationError

from docs.schemas.generate import ARTEFACTS, FOLDER, contents
from loadtest.openloop import Reply
from loadtest.report import judge
from profiler.gates.check import check
from profiler.gates.compare import Measured, compare
from profiler.record.observations import concatenate
from tests import tables
from tests.gateway import views
from tests.profiler import columns
from tests.profiler.report import synthetic
from tests.profiler.tiers.services import Variant, compiled, population, profile_of, summary

DEMO = Path(__file__).parents[2] / "deploy" / "demo" / "tiers.yaml"
SPEC: dict[str, Any] = {
    "plans": ["single", "cascade", "race", "rescue"],
    "tiers": {
        "gold": {"tolerance": 0.05, "deadlines_ms": [40]},
        "dream": {"tolerance": 0.0, "deadlines_ms": [3]},
    },
}


def measured() -> Measured:
    """A small profile of a synthetic service."""
    family = [Variant("small", 0.90, 0.004), Variant("large", 0.95, 0.012)]
    rng = np.random.default_rng(0)
    evidence = profile_of(population(family, rng), rng)
    return Measured(summary(evidence), evidence)


def profile(tmp_path: Path) -> str:
    right = [True, False, True, True]
    timed = [
        columns.observations([0.01, 0.02, 0.01, float("inf")], right, [0, 0, 1, 1], variant=v)
        for v in (0, 1)
    ]
    answers = columns.answers([right, right])
    columns.stored(tmp_path / "p", answers, concatenate(timed), deadline_s=0.05)
    return (tmp_path / "p" / "profile.json").read_text()


def tiers(_: Path) -> str:
    return compiled(measured().evidence, SPEC).table.model_dump_json()


def checked(_: Path) -> str:
    made = measured()
    table = compiled(made.evidence, SPEC).table
    return check(table, made.profile, made.evidence).model_dump_json()


def compared(_: Path) -> str:
    return compare(measured(), measured(), (0.01, 0.05)).model_dump_json()


def load_report(_: Path) -> str:
    replies = [
        Reply(tier="gold", latency_s=0.01, correct=True, variant="large", outcome="ok", error=None),
        Reply(
            tier="gold", latency_s=1.0, correct=False, variant=None, outcome="error", error="503"
        ),
    ]
    table = tables.table(tables.tier("gold", 0.02, tables.promise("large", 0.05)))
    return judge(table, replies, 1.0).model_dump_json()


REAL: dict[str, Callable[[Path], str]] = {
    "profile": profile,
    "tiers": tiers,
    "tiers-spec": lambda _: json.dumps(yaml.safe_load(DEMO.read_text())),
    "sweep": lambda _: synthetic.sweep().model_dump_json(),
    "check": checked,
    "comparison": compared,
    "load-report": load_report,
    "live": lambda _: json.dumps(asdict(views.BAD)),
}


def schema(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.schema.json").read_text("utf-8"))


def test_the_schemas_are_up_to_date() -> None:
    """What lies in docs/schemas is what `make schemas` writes, columns of the tables included."""
    written = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir() if path.is_file()}
    written.pop("generate.py")
    assert written == contents(), "run make schemas"


def test_every_artefact_has_a_schema_and_is_tried() -> None:
    """None is published that no real artefact was held against; each is a schema itself."""
    assert set(ARTEFACTS) == set(REAL)
    for name in ARTEFACTS:
        Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize("name", REAL)
def test_real_artefacts_satisfy_their_schema(name: str, tmp_path: Path) -> None:
    """As written; and what lacks a field, or has one too many, does not."""
    validator = Draft202012Validator(schema(name))
    made = json.loads(REAL[name](tmp_path))
    validator.validate(made)
    required = schema(name)["required"][-1]
    with pytest.raises(ValidationError, match="is a required property"):
        validator.validate({key: value for key, value in made.items() if key != required})
    with pytest.raises(ValidationError):
        validator.validate(made | {required: {"no": "such thing"}})
