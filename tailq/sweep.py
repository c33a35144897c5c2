"""The sweep: quality at deadlines with other factors than time held at levels.

"X-critical quality" of Yang et al., arXiv 2212.13925 v1: the quality that is left when a factor X
of the system (requests in flight, network delay, a busy neighbour, precision, …) is held at a
limit. A sweep measures it at all combinations of the factors' levels (`Cell`), in several rounds
over all of them, and says which share of its fluctuation each factor explains (`Attribution`).
Written by `tailq-profile sweep`; one JSON file.
"""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tailq.profile import DataSet, Metric, Server
from tailq.tier import Ratio, Seconds

Source = Literal["factor", "interaction", "higher", "round", "residual"]
Finite = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class SweptVariant(_Frozen):
    """A variant as it was measured. quality: over all samples, without a deadline."""

    name: str
    version: str
    fingerprint: str
    quality: Ratio


class CriticalQuality(_Frozen):
    """Quality at one deadline over the (cell, round) pairs of one level.

    quality: mean. tail_5: 5 % quantile. worst: minimum.
    """

    deadline_s: Seconds
    quality: Ratio
    tail_5: Ratio
    worst: Ratio


class Level(_Frozen):
    """One level of a factor, and what is left of the quality while the factor is held there.

    value: as it was asked for ("4", "none", a variant's name). p50_s, p99_s: latency of the
    answered requests in its cells. at_deadlines: in the order of `Sweep.deadlines_s`.
    """

    value: str
    p50_s: Seconds
    p99_s: Seconds
    at_deadlines: Annotated[tuple[CriticalQuality, ...], Field(min_length=1)]


class Factor(_Frozen):
    """A factor that was varied, or held at its only level.

    name: "variant", "concurrency", "batch", "delay-ms", "jitter-ms", "neighbour", "instances" or
    "cpus" (what each does: docs/profiling.md).
    """

    name: str
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]


class CellAtDeadline(_Frozen):
    """Quality of one cell at one deadline.

    quality, tail_5, worst: mean, 5 % quantile and minimum over rounds. by_round: of each round.
    """

    deadline_s: Seconds
    quality: Ratio
    tail_5: Ratio
    worst: Ratio
    by_round: Annotated[tuple[Ratio, ...], Field(min_length=1)]


class Cell(_Frozen):
    """One combination of levels, measured in every round.

    levels: value of each factor, by its name. requests: timed ones, of which `failed` got no
    answer (late at any deadline). p50_s, p99_s: latency of the answered ones, client side.
    at_deadlines: in the order of `Sweep.deadlines_s`.
    """

    levels: dict[str, str]
    requests: Annotated[int, Field(ge=1)]
    failed: Annotated[int, Field(ge=0)]
    p50_s: Seconds
    p99_s: Seconds
    at_deadlines: Annotated[tuple[CellAtDeadline, ...], Field(min_length=1)]


class Share(_Frozen):
    """What one source contributes to the variance of quality over all cells and rounds.

    source: "factor" (main effect of factors[0]), "interaction" (of factors[0] and factors[1] beyond
        their main effects), "higher" (all other differences between cells), "round" (what all
        cells of a round have in common: drift of the machine), "residual" (the rest: the same
        cell from round to round).
    factors: one, two, or none.
    share: of the variance, in [0, 1]; the shares of a deadline sum to 1. low, high: its confidence
        interval at `Sweep.confidence`.
    """

    source: Source
    factors: tuple[str, ...]
    share: Ratio
    low: Ratio
    high: Ratio

    @property
    def label(self) -> str:
        """Name of the source for people: "concurrency", "batch × cpus", "round", …."""
        other = {"higher": "other interactions", "round": "drift between rounds"}
        return " × ".join(self.factors) or other.get(self.source, "round to round")


class Attribution(_Frozen):
    """The fluctuation of quality at one deadline, and what explains it.

    mean: over all cells and rounds. lowest, highest: the extremes over (cell, round) pairs.
    deviation: standard deviation of quality that the shares are shares of (its square).
    shares: by falling share; empty where quality never fluctuated (lowest == highest).
    """

    deadline_s: Seconds
    mean: Ratio
    lowest: Ratio
    highest: Ratio
    deviation: Finite
    shares: tuple[Share, ...]


class Sweep(_Frozen):
    """Contents of the sweep's file.

    rounds: each over all cells in a random order; requests_per_round: timed in each cell and round.
    design: "full" (all combinations of levels), or "fraction" (a balanced part of them).
    strength: of the design; any so many factors meet in all combinations of their levels equally
        often. Below 4 interactions of two factors cannot be told apart and are one ("higher").
    stopped_by: why no more rounds were measured. confidence: of the intervals of the shares.
    notes: what a reader should know of the conditions, one sentence each.
    """

    schema_: Annotated[Literal["tailq.sweep/1"], Field(alias="schema")] = "tailq.sweep/1"
    started: datetime
    finished: datetime
    dataset: DataSet
    server: Server
    metric: Metric
    variants: Annotated[tuple[SweptVariant, ...], Field(min_length=1)]
    deadlines_s: Annotated[tuple[Seconds, ...], Field(min_length=1)]
    factors: Annotated[tuple[Factor, ...], Field(min_length=1)]
    design: Literal["full", "fraction"]
    strength: Annotated[int, Field(ge=1)]
    rounds: Annotated[int, Field(ge=3)]
    requests_per_round: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    stopped_by: Literal["rounds", "budget"]
    cells: Annotated[tuple[Cell, ...], Field(min_length=1)]
    confidence: Annotated[float, Field(gt=0, lt=1)]
    attribution: Annotated[tuple[Attribution, ...], Field(min_length=1)]
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """Cells use the factors' levels; whatever stands at deadlines stands at all, in order."""
        values = {factor.name: {level.value for level in factor.levels} for factor in self.factors}
        for cell in self.cells:
            if cell.levels.keys() != values.keys() or any(
                value not in values[name] for name, value in cell.levels.items()
            ):
                raise ValueError(f"cell {cell.levels} is not one of the factors' levels")
        rows: list[tuple[CellAtDeadline | CriticalQuality | Attribution, ...]] = [self.attribution]
        rows += [cell.at_deadlines for cell in self.cells]
        rows += [level.at_deadlines for factor in self.factors for level in factor.levels]
        if any(tuple(at.deadline_s for at in row) != self.deadlines_s for row in rows):
            raise ValueError("cells, levels and attribution must stand at each of the deadlines")
        return self
