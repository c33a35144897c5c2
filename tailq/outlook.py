"""How long answers take at present: the profile's model of latency under load, kept true online."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from math import exp, inf, isnan, log

from tailq.foresight import AT_ONCE, Latency
from tailq.load import Curves, LatencyUnderLoad
from tailq.tier import Served
from tailq.tracker import CODE, Tracker

# Above the highest known level L nothing was measured, but the promises were proven with whatever
# was later. The tail is taken for a Pareto tail (Weissman 1978, JASA 73): of those slower than the
# quantile of L, q, a share (q / t) ** SHAPE is slower than t. The shape is what the two highest
# levels say, at the knot where they say the heaviest tail, within these bounds; the heaviest where
# only one level is known. A chord over each factor of 4 of the share, and what is beyond the last
# one never comes: so it errs on the side of too late.
HEAVIEST, LIGHTEST = 1.0, 10.0
_REMAINDERS = (1 / 4, 1 / 16, 1 / 64, 1 / 256)
# Observations are learned from together, so many of them or those of so many seconds: one by one,
# each between two requests, they cost three times as much.
TOGETHER, OLDEST_S = 16, 0.02
# Latencies may be 0 in a profile, but no logarithm of them.
_LEAST_S = 1e-6


class Outlook:
    """Learns from latencies of answers, foretells those of the next ones.

    served: what the profile says of each variant. One without `under_load`, or not in it, is
    taken to answer at once: nothing is known that speaks against it. previous: of a table that is
    replaced; what it learned of a variant is kept where the profile's model of it is the same.
    What it tells may lack the last TOGETHER - 1 observations, but none older than OLDEST_S.
    """

    def __init__(self, served: Mapping[str, Served], previous: "Outlook | None" = None) -> None:
        self.service_s = {name: variant.service_s for name, variant in served.items()}
        self._variants = {
            name: _Variant(variant.under_load)
            for name, variant in served.items()
            if variant.under_load is not None
        }
        self._waiting: list[_Observation] = []
        self._settled = -inf  # when it last learned from an observation as it came
        if previous is not None:
            # Calls that it was asked for may still end: trackers hear of all in one order.
            self._waiting = previous._waiting
            for name, variant in self._variants.items():
                before = previous._variants.get(name)
                if before is not None and before.model == variant.model:
                    variant.tracker = before.tracker

    def observe(
        self, variant: str, seconds: float, outstanding_s: float, now: float, *, ended: bool
    ) -> int | None:
        """An answer of `variant` took, or has taken up to `now`, so many seconds.

        outstanding_s: seconds of work outstanding when it was asked, its own not counted. now: on
        the clock of every call, in seconds. ended: False if it is still awaited: that counts as
        slower than all it is slower than by now, and says nothing of the rest; its end is told
        later, as if it were another's. What is not known, or no time, is ignored.

        How many of the profile's quantiles, as they are without corrections, it exceeded; None:
        ignored.
        """
        known = self._variants.get(variant)
        if known is None or isnan(seconds) or isnan(outstanding_s):
            return None
        predicted = known.predicted(outstanding_s)
        self._waiting.append((known.tracker, seconds, predicted, now, ended))
        # Here rather than when it is asked: then a request would wait for it.
        if len(self._waiting) >= TOGETHER or now - self._settled > OLDEST_S:
            self._settled = now
            self.settle()
        return bisect_left(predicted, seconds)

    def settle(self) -> None:
        """Learn from every observation so far."""
        waiting = self._waiting.copy()
        self._waiting.clear()
        for tracker, seconds, predicted, now, ended in waiting:
            took = log(max(seconds, _LEAST_S))
            ratios = [took - log(max(at, _LEAST_S)) for at in predicted]
            tracker.observe(ratios, now, ended=ended)
        for tracker, _, _, now, _ in waiting:
            tracker.codes(now)  # they are kept until there is more to learn

    def latency(self, variant: str, outstanding_s: float, now: float) -> Latency:
        """Distribution of the latency of `variant`, asked at this much work outstanding."""
        self.settle()
        known = self._variants.get(variant)
        if known is None:
            return AT_ONCE
        return known.latency(outstanding_s, known.tracker.log_corrections(now))

    def latency_at(self, variant: str, outstanding_s: float, codes: tuple[int, ...]) -> Latency:
        """The same as of when `codes` was what it is: no faster, and at most 10 % slower."""
        known = self._variants.get(variant)
        if known is None:
            return AT_ONCE
        return known.latency(outstanding_s, [code * CODE for code in codes])

    def codes(self, variant: str, now: float) -> tuple[int, ...]:
        """What was learned of `variant`, to remember by what follows from it."""
        waiting = self._waiting
        if waiting and now - waiting[0][3] > OLDEST_S:
            self.settle()
        known = self._variants.get(variant)
        return () if known is None else known.tracker.codes(now)

    def neutral(self, variant: str) -> tuple[int, ...]:
        """Its `codes` while nothing was learned: answers take as long as in the profile."""
        known = self._variants.get(variant)
        return () if known is None else (0,) * len(known.tracker.levels)

    def correction(self, variant: str, now: float) -> float:
        """How many times slower than profiled its median answer is (the lowest known level).

        1: as profiled, or nothing is known.
        """
        self.settle()
        known = self._variants.get(variant)
        return 1.0 if known is None else exp(known.tracker.log_corrections(now)[0])


# Whose, seconds, the profile's quantiles at the same load, when, and whether it had ended.
_Observation = tuple[Tracker, float, Sequence[float], float, bool]


class _Variant:
    """One variant: the profile's quantiles arranged for looking up, and their corrections."""

    def __init__(self, model: LatencyUnderLoad) -> None:
        self.model = model
        levels = [quantile.level for quantile in model.quantiles]
        self.tracker = Tracker(levels)
        self._curves = Curves(model)
        self._looked_up = 0.0, self._curves.at(0.0)
        shape, top = _shape(model), 1 - levels[-1]
        self._within = (0.0, *levels, *(1 - top * share for share in _REMAINDERS))
        self._beyond = [share ** (-1 / shape) for share in _REMAINDERS]

    def predicted(self, outstanding_s: float) -> list[float]:
        """The profile's quantiles at so much work, seconds; mostly it is as much as before."""
        at, found = self._looked_up
        if at != outstanding_s:
            found = self._curves.at(outstanding_s)
            self._looked_up = outstanding_s, found
        return found

    def latency(self, outstanding_s: float, log_factors: Sequence[float]) -> Latency:
        """The corrected distribution.

        Where corrections let quantiles cross, the greatest so far is taken: monotone rearrangement
        makes no quantile worse (Chernozhukov, Fernández-Val & Galichon 2010, Econometrica 78).
        """
        seconds, most = [0.0], 0.0
        for predicted, log_factor in zip(self.predicted(outstanding_s), log_factors, strict=True):
            most = max(most, predicted * exp(log_factor))
            seconds.append(most)
        seconds += [most * factor for factor in self._beyond]
        return Latency(seconds, self._within)


def _shape(model: LatencyUnderLoad) -> float:
    """Shape of the Pareto tail above the highest known level."""
    if len(model.quantiles) < 2:
        return HEAVIEST
    lower, higher = model.quantiles[-2:]
    rarer = log((1 - lower.level) / (1 - higher.level))
    shapes = (
        rarer / log(high / low) if high > low > 0 else LIGHTEST if high == low else HEAVIEST
        for low, high in zip(lower.latency_s, higher.latency_s, strict=True)
    )
    return min(max(min(shapes, default=inf), HEAVIEST), LIGHTEST)
