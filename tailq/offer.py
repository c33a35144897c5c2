"""What a tier may do for a request, arranged at start-up for quick choosing."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tailq.forecast import Forecast, left_code, work_code
from tailq.foresight import Foresight
from tailq.outlook import Outlook
from tailq.plan import Plan, Race, Rescue
from tailq.tier import Option, Promise, Tier

# The promises were proven with so much less time: it is what a request may take in the gateway.
_GATEWAY_S = 0.002

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


@dataclass(frozen=True, slots=True)
class Offer:
    """What one promise may be kept by, in order, and all that its tier may do, these first."""

    promise: Promise
    own: tuple[Choice, ...]
    every: tuple[Choice, ...]

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
        Offer(promise, tuple(choices), _distinct([*choices, *every]))
        for promise, choices in zip(tier.promises, own, strict=True)
    )


def _choices(promise: Promise, outlook: Outlook, most: int) -> list[Choice]:
    if promise.options:
        return [_choice(promise, option, outlook, most) for option in promise.options]
    plan = promise.plan
    work_s = outlook.service_s.get(plan.variants[0], 0.0)
    return [Choice(promise, plan, frozenset(plan.variants), work_s, 1, None, 0.0)]


def _choice(promise: Promise, option: Option, outlook: Outlook, most: int) -> Choice:
    """With its bar: the promised quality.

    But what the promised plan yields by this same reckoning as things were in the profile is
    enough: that it keeps the promise there is proven, so any shortfall is the model's error.
    As things were: at the mean work of as many requests as were profiled, all variants in turn.
    """
    plan = option.plan
    forecast = Forecast(option, promise.deadline_s, outlook)
    places = min(2 if isinstance(plan, Race) else 1, most)
    bar = promise.quality
    if plan == promise.plan:
        each_s = fmean(outlook.service_s.values()) if outlook.service_s else 0.0
        left, work = left_code(promise.deadline_s - _GATEWAY_S), work_code((most - places) * each_s)
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
