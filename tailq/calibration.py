"""From the confidence a model gives its answer to the quality that is to be expected of it."""

from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tailq.piecewise import interpolate

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReliabilityBin(_Frozen):
    """Answers of similar confidence: how many, their mean confidence, their mean quality."""

    samples: Annotated[int, Field(ge=1)]
    confidence: Ratio
    quality: Ratio


class Calibration(_Frozen):
    """A non-decreasing piecewise linear map, fitted by isotonic regression.

    confidence, quality: its knots, confidence ascending. bins: the raw confidence against what it
    was worth. error, calibrated_error: expected calibration error (mean over bins of
    |confidence - quality|, weighted) before and after, the latter on samples not fitted to.
    """

    confidence: Annotated[tuple[Ratio, ...], Field(min_length=1)]
    quality: Annotated[tuple[Ratio, ...], Field(min_length=1)]
    bins: tuple[ReliabilityBin, ...]
    error: Ratio
    calibrated_error: Ratio

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        if len(self.confidence) != len(self.quality):
            raise ValueError("confidence and quality must be of one length")
        if any(left >= right for left, right in pairwise(self.confidence)):
            raise ValueError("the knots of confidence must ascend")
        if any(left > right for left, right in pairwise(self.quality)):
            raise ValueError("quality must not fall where confidence rises")
        return self

    def expected_quality(self, confidence: float) -> float:
        """Mean quality of answers of this confidence, both in [0, 1].

        Outside the confidences it was fitted to, that of the nearest.
        """
        return interpolate(confidence, self.confidence, self.quality)
