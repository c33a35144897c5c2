"""Plans: what the gateway does with one request.

Whatever the plan, an answer leaves by the deadline: where a better one is awaited when it comes,
the best in hand leaves. "Confident enough" means that the confidence the model gives its answer
(its greatest probability, not calibrated) is at least the threshold.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Variant = Annotated[str, Field(min_length=1)]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Plan(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Single(_Plan):
    """Ask one variant and answer what it answers.

    variant: name of the model on Triton.
    """

    kind: Literal["single"] = "single"
    variant: Variant

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant the plan may ask, the first one first."""
        return (self.variant,)

    @property
    def at_once(self) -> tuple[str, ...]:
        """The variants that are asked first, all at the same time."""
        return (self.variant,)

    def __str__(self) -> str:
        return self.variant


def _words(confidence: float) -> str:
    """With two digits of what it lacks of 1, so that 0.99995 is told from 1."""
    return f"{1 - float(f'{1 - confidence:.2g}'):.8g}"


class Cascade(_Plan):
    """Ask a small variant; only where it is not confident enough ask the next, and so on.

    stages: the variants in the order in which they are asked. thresholds: one for each stage but
    the last, whose answer is taken as it is.
    """

    kind: Literal["cascade"] = "cascade"
    stages: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=4)]
    thresholds: Annotated[tuple[Confidence, ...], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.thresholds) != len(self.stages) - 1:
            raise ValueError("a cascade has one threshold for each stage but the last")
        if len(set(self.stages)) != len(self.stages):
            raise ValueError("a cascade asks a variant once")
        return self

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant the plan may ask, the first one first."""
        return self.stages

    @property
    def at_once(self) -> tuple[str, ...]:
        """The variants that are asked first, all at the same time."""
        return self.stages[:1]

    def __str__(self) -> str:
        steps = (
            f"{variant} →{_words(threshold)}→ "
            for variant, threshold in zip(self.stages, self.thresholds, strict=False)
        )
        return "".join(steps) + self.stages[-1]


class Race(_Plan):
    """Ask two variants at once; keep the fast one's answer if confident enough, else wait.

    terminate: end the accurate one's work as soon as the fast answer is kept (early termination);
    otherwise it is left to end by itself, and its answer ignored. An accurate answer that comes
    before the fast one is taken at once.
    """

    kind: Literal["race"] = "race"
    fast: Variant
    accurate: Variant
    threshold: Confidence
    terminate: bool = True

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.fast == self.accurate:
            raise ValueError("a race needs two variants")
        return self

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant the plan may ask, the first one first."""
        return (self.fast, self.accurate)

    @property
    def at_once(self) -> tuple[str, ...]:
        """The variants that are asked first, all at the same time."""
        return (self.fast, self.accurate)

    def __str__(self) -> str:
        ended = "" if self.terminate else ", run to the end"
        return f"{self.fast} ∥{_words(self.threshold)}∥ {self.accurate}{ended}"


class Rescue(_Plan):
    """Ask one variant; if it is late, have the answer of a faster one ready at the deadline.

    after_s: seconds after the request at which the rescuer is asked unless the primary has
    answered: the last moment at which it still makes the deadline. The primary's answer is taken
    whenever it comes by the deadline.
    """

    kind: Literal["rescue"] = "rescue"
    primary: Variant
    rescuer: Variant
    after_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.primary == self.rescuer:
            raise ValueError("a rescue needs two variants")
        return self

    @property
    def variants(self) -> tuple[str, ...]:
        """Every variant the plan may ask, the first one first."""
        return (self.primary, self.rescuer)

    @property
    def at_once(self) -> tuple[str, ...]:
        """The variants that are asked first, all at the same time."""
        return (self.primary,)

    def __str__(self) -> str:
        return f"{self.primary}, rescued by {self.rescuer} after {self.after_s * 1000:.3g} ms"


Plan = Annotated[Single | Cascade | Race | Rescue, Field(discriminator="kind")]
