"""Plans: what the gateway does with one request."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Single(BaseModel):
    """Ask one variant and answer what it answers.

    `variant` is the name of the model on Triton.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["single"] = "single"
    variant: str = Field(min_length=1)

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant the plan may ask, the first one first."""
        return (self.variant,)


Plan = Single
