"""Latency under load: quantiles of latency against the work outstanding on the device."""

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tailq.piecewise import interpolate

Ratio = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LatencyQuantile(_Frozen):
    """One quantile of latency at each knot of work outstanding.

    level: in (0, 1). latency_s: by knot, non-decreasing. exceeded: share of requests slower than
    it out of sample; 1 - level if the model is right. exceeded_open: the same of those in an open
    loop, which is how most traffic arrives; None if there were none.
    """

    level: Annotated[float, Field(gt=0, lt=1)]
    latency_s: Annotated[tuple[Seconds, ...], Field(min_length=1)]
    exceeded: Ratio
    exceeded_open: Ratio | None = None


class LatencyUnderLoad(_Frozen):
    """Latency of one variant as a monotone function of the work outstanding when it is asked.

    outstanding_s: knots, ascending: the sum of `service_s` of the requests in flight on the
    device, the own one not counted. quantiles: by level ascending; they do not cross. All are of
    the requests that were answered.

    Between knots it is linear; below the first it is level. Beyond the last nothing was measured:
    a second more of work outstanding is taken to last a second more, as if the device did one
    thing at a time, which is no less than any device needs that is never idle while it has work.
    """

    outstanding_s: Annotated[tuple[Seconds, ...], Field(min_length=1)]
    quantiles: Annotated[tuple[LatencyQuantile, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _monotone(self) -> Self:
        for quantile in self.quantiles:
            if len(quantile.latency_s) != len(self.outstanding_s):
                raise ValueError("each quantile needs one latency for each knot")
            if any(left > right for left, right in pairwise(quantile.latency_s)):
                raise ValueError("latency must not fall where work outstanding rises")
        if any(left >= right for left, right in pairwise(self.outstanding_s)):
            raise ValueError("the knots of work outstanding must ascend")
        for lower, higher in pairwise(self.quantiles):
            if lower.level >= higher.level:
                raise ValueError("the quantiles' levels must ascend")
            if any(a > b for a, b in zip(lower.latency_s, higher.latency_s, strict=True)):
                raise ValueError("quantiles must not cross")
        return self

    def quantile(self, level: float, outstanding_s: float) -> float:
        """Latency, in seconds, that a share `level` of answers does not exceed.

        level: in [0, 1]; between known levels linear, and 0 s at level 0. outstanding_s: seconds of
        work outstanding, >= 0. Raises ValueError above the highest level known: what is rarer was
        not measured.
        """
        levels, latencies = self._distribution(outstanding_s)
        if not 0 <= level <= levels[-1]:
            raise ValueError(f"the quantile {level:g} is not known, only up to {levels[-1]:g}")
        return interpolate(level, levels, latencies)

    def probability_within(self, seconds: float, outstanding_s: float) -> float:
        """Probability that an answer comes within `seconds` >= 0: the inverse of `quantile`.

        At most the highest level known, however much time there is.
        """
        levels, latencies = self._distribution(outstanding_s)
        return interpolate(seconds, latencies, levels)

    def _distribution(self, outstanding_s: float) -> tuple[list[float], list[float]]:
        """Known levels, 0 among them, and their latencies at this much work."""
        levels = [0.0, *(quantile.level for quantile in self.quantiles)]
        return levels, [0.0, *Curves(self).at(outstanding_s)]


class Curves:
    """The quantiles of a LatencyUnderLoad, arranged to be looked up all at once."""

    __slots__ = ("_at", "_work")

    def __init__(self, model: LatencyUnderLoad) -> None:
        self._work = model.outstanding_s
        self._at = list(zip(*(quantile.latency_s for quantile in model.quantiles), strict=True))

    def at(self, outstanding_s: float) -> list[float]:
        """Latency in seconds at each known level, with this much work outstanding."""
        work, at = self._work, self._at
        right = bisect_right(work, outstanding_s)
        if right == 0:
            return list(at[0])
        low = at[right - 1]
        if right == len(work):
            beyond_s = outstanding_s - work[-1]
            return [seconds + beyond_s for seconds in low]
        share = (outstanding_s - work[right - 1]) / (work[right] - work[right - 1])
        # Rounding must not carry a latency over its neighbour's: more work is never quicker.
        return [min(a + share * (b - a), b) for a, b in zip(low, at[right], strict=True)]
