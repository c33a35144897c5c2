"""The tier spec: the small YAML in which an owner says which tiers the service should have."""

from pathlib import Path
from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tailq.artefact import explain
from tailq.errors import ArtefactError
from tailq.tier import Limit, Name, Objective, Otherwise

Kind = Literal["single", "cascade", "race", "rescue"]
Milliseconds = Annotated[float, Field(gt=0, le=60_000, allow_inf_nan=False)]
Loss = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Percentile = Annotated[float, Field(gt=0, lt=100, allow_inf_nan=False)]


def _distinct(deadlines: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(deadlines)) != len(deadlines):
        raise ValueError("the same deadline is given twice")
    return tuple(sorted(deadlines))


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TierSpec(_Spec):
    """One wanted tier. Exactly one of tolerance, absolute_tolerance and floor is given.

    tolerance: greatest relative loss of quality against the best variant, 0.02 is 2 %.
    absolute_tolerance: the same in quality itself, 0.02 is 2 points. floor: least quality.
    objective: what to be best at among the plans that keep that. percentile: of the response time;
    without it its mean counts. plans: kinds that may be used; without it those of the whole spec.
    deadlines_ms: each gets its own plan and promise.
    priority: who goes first where requests wait, 1 before 2; without it the tier's place in the
    file. otherwise: what becomes of a request while no plan keeps the promise: what can still be
    had (best_effort, marked as such), or a refusal at once (shed).
    """

    tolerance: Loss | None = None
    absolute_tolerance: Loss | None = None
    floor: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    objective: Objective = "response-time"
    percentile: Percentile | None = None
    plans: Annotated[tuple[Kind, ...], Field(min_length=1)] | None = None
    priority: Annotated[int, Field(ge=1, le=64)] | None = None
    otherwise: Otherwise = "best_effort"
    deadlines_ms: Annotated[
        tuple[Milliseconds, ...], Field(min_length=1, max_length=16), AfterValidator(_distinct)
    ]

    @property
    def limit(self) -> Limit:
        """How much worse than the reference the tier may be."""
        if self.tolerance is not None:
            return Limit(kind="relative", value=self.tolerance)
        if self.absolute_tolerance is not None:
            return Limit(kind="absolute", value=self.absolute_tolerance)
        assert self.floor is not None
        return Limit(kind="floor", value=self.floor)

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        given = (self.tolerance, self.absolute_tolerance, self.floor)
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of tolerance, absolute_tolerance and floor")
        if self.percentile is not None and self.objective != "response-time":
            raise ValueError("a percentile is of the response time; cost has none")
        return self


class TiersSpec(_Spec):
    """The whole file.

    confidence: probability that every promise made is true. method: how that is tested. plans:
    kinds of plan that may be used. prices: of a device-second, by variant; 1 where none is given.
    default: the tier of requests that name none; left out, such requests are refused.
    """

    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    method: Literal["ltt", "bootstrap"] = "ltt"
    plans: Annotated[tuple[Kind, ...], Field(min_length=1)] = get_args(Kind)
    prices: dict[str, Price] = {}
    default: Name | None = None
    tiers: Annotated[dict[Name, TierSpec], Field(min_length=1, max_length=64)]

    @property
    def kinds(self) -> frozenset[Kind]:
        """Every kind of plan that some tier may use."""
        return frozenset(kind for tier in self.tiers.values() for kind in self.allowed(tier))

    @property
    def deadlines_s(self) -> tuple[float, ...]:
        """Every deadline of some tier, ascending, seconds."""
        return tuple(sorted({d / 1000 for tier in self.tiers.values() for d in tier.deadlines_ms}))

    def priority(self, name: str) -> int:
        """Of the tier of that name: its own, or else its place in the file, from 1."""
        own = self.tiers[name].priority
        return list(self.tiers).index(name) + 1 if own is None else own

    def allowed(self, tier: TierSpec) -> tuple[Kind, ...]:
        """The kinds of plan that a tier may use."""
        return self.plans if tier.plans is None else tier.plans


def read(path: Path) -> TiersSpec:
    """Read the tier spec at `path`. Raises ArtefactError naming the offending field."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ArtefactError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ArtefactError(f"{path}: is not valid YAML ({reason})") from None
    if not isinstance(content, dict):
        raise ArtefactError(f"{path}: holds no tiers; what it is to hold: docs/profiling.md")
    try:
        spec = TiersSpec.model_validate(content)
    except ValidationError as error:
        raise ArtefactError(f"{path}: {explain(error)}") from None
    if spec.default is not None and spec.default not in spec.tiers:
        raise ArtefactError(f"{path}: default: {spec.default!r} is not among the tiers")
    return spec
