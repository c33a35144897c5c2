"""What the gates say, as artefacts (JSON)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tailq.plan import Plan
from tailq.tier import Ratio, Seconds

Verdict = Literal["kept", "plausible", "broken"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Claim(_Frozen):
    """One of the two things a promise states, and whether a profile bears it out.

    statement: "quality", that the promised one is reached; "limit", that the tier's is kept.
    load: the one at which the margin is least. margin: by how much more quality was measured than
    the statement asks for, negative if less; low, high: of its confidence interval.
    verdict: kept (low >= 0), broken (high < 0), or neither proven: plausible.
    """

    tier: str
    deadline_s: Seconds
    plan: Plan
    statement: Literal["quality", "limit"]
    promised: Ratio
    load: int
    margin: float
    low: float
    high: float
    verdict: Verdict


class Checked(_Frozen):
    """A tier table held against a profile: `tailq-profile check --json`.

    profile: id of the one measured. compiled_from: id of the one the table rests on. confidence:
    that nothing is called kept which is not, and likewise broken. loads: that were looked at.
    """

    schema_: Annotated[Literal["tailq.check/1"], Field(alias="schema")] = "tailq.check/1"
    service: str
    profile: str
    compiled_from: str
    confidence: Annotated[float, Field(gt=0, lt=1)]
    loads: Annotated[tuple[int, ...], Field(min_length=1)]
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all claims; kept if nothing is claimed."""
        found = {claim.verdict for claim in self.claims}
        verdicts: tuple[Verdict, ...] = ("broken", "plausible", "kept")
        return next((verdict for verdict in verdicts if verdict in found), "kept")
