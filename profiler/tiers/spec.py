"""The tier spec: the small YAML in which an owner says which tiers the service should have."""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from tailq.artefact import explain
from tailq.errors import ArtefactError
from tailq.tier import Name, Objective

Milliseconds = Annotated[float, Field(gt=0, le=60_000, allow_inf_nan=False)]


def _distinct(deadlines: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(deadlines)) != len(deadlines):
        raise ValueError("the same deadline is given twice")
    return tuple(sorted(deadlines))


class TierSpec(BaseModel):
    """One wanted tier.

    tolerance: greatest relative loss of quality against the best variant, 0.02 is 2 %.
    objective: what to be best at among the plans that keep the tolerance.
    deadlines_ms: each gets its own plan and promise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tolerance: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
    objective: Objective = "response-time"
    deadlines_ms: Annotated[
        tuple[Milliseconds, ...], Field(min_length=1, max_length=16), AfterValidator(_distinct)
    ]


class TiersSpec(BaseModel):
    """The whole file.

    confidence: probability that every promise made is true. default: the tier of requests that
    name none; left out, such requests are refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    default: Name | None = None
    tiers: Annotated[dict[Name, TierSpec], Field(min_length=1, max_length=64)]


def read(path: Path) -> TiersSpec:
    """Read the tier spec at `path`. Raises ArtefactError naming the offending field."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ArtefactError(f"{path}: is not valid YAML ({reason})") from None
    try:
        spec = TiersSpec.model_validate(content)
    except ValidationError as error:
        raise ArtefactError(f"{path}: {explain(error)}") from None
    if spec.default is not None and spec.default not in spec.tiers:
        raise ArtefactError(f"{path}: default: {spec.default!r} is not among the tiers")
    return spec
