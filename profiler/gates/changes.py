"""What a comparison of two profiles says, as an artefact (JSON)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tailq.tier import Seconds

Figure = Literal["quality", "tail quality", "p50", "p99"]
Direction = Literal["worse", "better", "not shown"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Change(_Frozen):
    """One figure of one variant in both profiles.

    figure: quality (without `deadline_s`: without a deadline), its 5 % tail over rounds, or a
    quantile of latency in seconds. load: in both profiles; of a quality at a deadline the one at
    which the new profile loses most. change: new less old; low, high: of its confidence interval,
    None where too little was measured to bound it. direction: which way the interval shows it went.
    """

    variant: str
    figure: Figure
    deadline_s: Seconds | None = None
    load: int | None = None
    old: float
    new: float
    change: float
    low: float | None
    high: float | None
    direction: Direction


class Compared(_Frozen):
    """Two profiles of a service compared: `tailq-profile compare --json`.

    old, new: ids. confidence: that all intervals hold together. paired: both profiles rest on the
    same samples. loads: that both measured. added, gone: variants that only the new one, only the
    old one has. other_fingerprint: variants that are not what they were.
    """

    schema_: Annotated[Literal["tailq.comparison/1"], Field(alias="schema")] = "tailq.comparison/1"
    service: str
    old: str
    new: str
    confidence: Annotated[float, Field(gt=0, lt=1)]
    paired: bool
    loads: tuple[int, ...]
    changes: tuple[Change, ...]
    added: tuple[str, ...]
    gone: tuple[str, ...]
    other_fingerprint: tuple[str, ...]
    notes: tuple[str, ...]

    def went(self, direction: Direction) -> tuple[Change, ...]:
        """The changes that went this way."""
        return tuple(change for change in self.changes if change.direction == direction)
