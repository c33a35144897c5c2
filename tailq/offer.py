"""What a tier may do for a request, arranged at start-up for quick choosing."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tailq.forecast import Forecast, left_code, left_s, work_code
from tailq.foresight import Foresight
from tailq.outlook import Outlook
from tailq.plan import Plan, Rescue
from tailq.tier import GATEWAY_HOP_S, Option, Promise, Tier

# What is more likely late than not is not tried: it would be work for nothing. While others wait
# for the place that it takes, it has to be as likely in time as they are.
WORTH_TRYING, WORTH_A_PLACE = 0.5, 0.95
# Of what a table says too little of, so that nothing speaks against it: its bar is 0.
_UNKNOWN = Foresight(0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Choice:
    """A promise's option as it is chosen among others.

    forecast: None in a table that says too little for one. bar: the quality that it has to be
    foreseen to yield for its promise. places: requests it has in flight at once from the start.
    work_s: device-seconds it takes.
    """

    promise: Promise
    plan: Plan
    variants: frozenset[str]
    work_s: float
    places: int
    forecast: Forecast | None
    bar: float

    def foresee(self, left: int, work: int, now: float) -> Foresight:
        """See Forecast.at."""
        return _UNKNOWN if self.forecast is None else self.forecast.at(left, work, now)

    def profiled(self, left: int, work: int) -> Foresight:
        """See Forecast.profiled."""
        return _UNKNOWN if self.forecast is None else self.forecast.profiled(left, work)


@dataclass(frozen=True, slots=True)
class Offer:
    """What one promise may be kept by, in order, and all that its tier may do, these first.

    hopeless_s: with no more time left it is no use, as profiled, on a device that has nothing else
    to do.
    """

    promise: Promise
    own: tuple[Choice, ...]
    every: tuple[Choice, ...]
    hopeless_s: float

    def most(
        self, left: int, work: int, now: float, absent: frozenset[str]
    ) -> tuple[Choice, Foresight] | None:
        """Of all the tier may do what is foreseen to yield most, the first of equals.

        left, work, now: see Forecast.at. absent: variants that cannot be asked. None: nothing can.
        """
        there = [choice for choice in self.every if choice.variants.isdisjoint(absent)]
        seen = [(choice, choice.foresee(left, work, now)) for choice in there]
        return max(seen, key=lambda each: each[1].quality, default=None)


def offers(tier: Tier, outlook: Outlook, max_outstanding: int) -> tuple[Offer, ...]:
    """The tier's offers, by deadline ascending. max_outstanding: see tailq.tier.Conditions."""
    own = [_choices(promise, outlook, max_outstanding) for promise in tier.promises]
    every = [choice for choices in own for choice in choices]
    return tuple(
        _offer(tier, promise, tuple(choices), _distinct([*choices, *every]))
        for promise, choices in zip(tier.promises, own, strict=True)
    )


def _offer(
    tier: Tier, promise: Promise, own: tuple[Choice, ...], every: tuple[Choice, ...]
) -> Offer:
    def is_enough(left: int) -> bool:
        if tier.otherwise == "shed":
            return any(choice.profiled(left, 0).quality >= choice.bar for choice in own)
        return any(choice.profiled(left, 0).answered >= WORTH_TRYING for choice in every)

    first = bisect_left(range(left_code(promise.deadline_s)), True, key=is_enough)
    # The middle of the step before: less than enough, however it is rounded.
    return Offer(promise, own, every, left_s(first - 0.5))


def _choices(promise: Promise, outlook: Outlook, most: int) -> list[Choice]:
    if promise.options:
        return [_choice(promise, option, outlook, most) for option in promise.options]
    plan = promise.plan
    places = min(len(plan.at_once), most)
    work_s = outlook.service_s.get(plan.variants[0], 0.0)
    return [Choice(promise, plan, frozenset(plan.variants), work_s, places, None, 0.0)]


def _choice(promise: Promise, option: Option, outlook: Outlook, most: int) -> Choice:
    """With its bar: the promised quality.

    But what the promised plan yields by this same reckoning as things were in the profile is
    enough: that it keeps the promise there is proven, so any shortfall is the model's error.
    As things were: at the mean work of as many requests as were profiled, all variants in turn.
    """
    plan = option.plan
    forecast = Forecast(option, promise.deadline_s, outlook)
    places = min(len(plan.at_once), most)
    bar = promise.quality
    if plan == promise.plan:
        each_s = fmean(outlook.service_s.values()) if outlook.service_s else 0.0
        left, work = (
            left_code(promise.deadline_s - GATEWAY_HOP_S),
            work_code((most - places) * each_s),
        )
        bar = min(bar, forecast.profiled(left, work).quality)
    variants = frozenset(plan.variants)
    return Choice(promise, plan, variants, option.work_s, places, forecast, bar - 1e-9)


def _distinct(choices: Sequence[Choice]) -> tuple[Choice, ...]:
    """Without those that do the same as one before."""
    seen: dict[tuple[Plan, float], Choice] = {}
    for choice in choices:
        plan = choice.plan
        # When a rescuer is asked depends on the promise's deadline, too.
        kept_s = choice.promise.deadline_s - plan.after_s if isinstance(plan, Rescue) else 0.0
        seen.setdefault((plan, kept_s), choice)
    return tuple(seen.values())
