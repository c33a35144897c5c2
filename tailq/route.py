"""The one decision: (what is asked, present load) -> plan, deadline and whether it is promised."""

from dataclasses import dataclass
from typing import Literal

from tailq.errors import UnknownTier
from tailq.forecast import left_code, work_code
from tailq.foresight import Foresight
from tailq.offer import WORTH_A_PLACE, WORTH_TRYING, Choice, Offer, offers
from tailq.outlook import Outlook
from tailq.plan import Plan
from tailq.tier import Promise, Tier, TierTable

# Why an answer is best effort although its tier makes promises. deadline: tighter than any
# promised one. load: no plan keeps the promise at present, or there is more in flight than was
# profiled. fingerprint: Triton serves something else than was profiled. unavailable: variants are
# missing. confidence: the plan goes by a confidence that the answer does not tell.
BestEffort = Literal["deadline", "load", "fingerprint", "unavailable", "confidence"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks for.

    tier: by name. tolerance, objective: instead of a name, the cheapest tier at least as strict.
    deadline_s: seconds from arrival; it can only tighten the tier's deadline. None: not said.
    """

    tier: str | None = None
    tolerance: float | None = None
    objective: str | None = None
    deadline_s: float | None = None


@dataclass(slots=True)
class Load:
    """What goes on at the moment of a decision.

    now: seconds, on the clock that the outlook is told observations by. outstanding: requests in
    flight, on all devices. outstanding_s: the sum of their variants' `Served.service_s` on the
    device that the next one would go to, seconds. absent: variants that cannot be asked at present.
    foreign: variants that are not what was profiled. endpoints: devices, among which work is shared
    evenly. contended: variants of which to ask one would take what others wait for.
    """

    now: float = 0.0
    outstanding: int = 0
    outstanding_s: float = 0.0
    absent: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    endpoints: int = 1
    contended: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: execute `plan`, answer within `deadline_s` seconds of arrival.

    promise: the compiled promise the plan comes from. best_effort: why it is not held to for this
    request (None: it is). shed: nothing is to be tried: the tier would rather refuse, or it is more
    likely late than not, or (`best_effort` is "unavailable" then) there is nothing to ask. work_s:
    device-seconds the plan is expected to take. expected_quality: probability, foreseen at
    present, that the request is answered right and in time; where the table says too little to
    foresee it, the promised one, or 0 on best effort.
    """

    tier: Tier
    plan: Plan
    deadline_s: float
    promise: Promise
    best_effort: BestEffort | None
    shed: bool = False
    work_s: float = 0.0
    expected_quality: float = 0.0


class Router:
    """Decides for one tier table; what can be looked up is prepared here, once.

    A pure function of its arguments and of what the outlook has learned. outlook: None: one that
    has learned nothing, of the table's variants.
    """

    def __init__(self, table: TierTable, outlook: Outlook | None = None) -> None:
        self.table = table
        self.outlook = Outlook(table.served) if outlook is None else outlook
        self._tiers = {tier.name: tier for tier in table.tiers}
        self._most = table.conditions.max_outstanding
        self._offers = {tier.name: offers(tier, self.outlook, self._most) for tier in table.tiers}
        self._last: dict[str, tuple[Choice, Foresight, Decision]] = {}  # by tier: promised

    def decide(self, ask: Ask, elapsed_s: float, load: Load) -> Decision:
        """Choose the plan for `ask`, of whose time `elapsed_s` is gone (or will be, waiting).

        The first of its promise's options, best objective first, that is foreseen to keep the
        promise in the time left at this load, within what was profiled. If there is none, what
        the tier says it does `otherwise`: refuse, or the best effort: the first that is foreseen
        to yield as much although it is not promised, or else the plan of the tier that is foreseen
        to yield most; but that one does not get a place that others wait for unless it is nearly
        sure to be in time. Raises UnknownTier if no such tier is offered; never falls back to
        another.
        """
        tier = self.tier(ask)
        offer, deadline_s, why = _offer(self._offers[tier.name], ask.deadline_s)
        left, work, now = left_code(deadline_s - elapsed_s), work_code(load.outstanding_s), load.now
        able: tuple[Choice, Foresight] | None = None
        obstacle: BestEffort | None = None
        for choice in offer.own:
            seen = choice.foresee(left, work, now)
            if seen.quality < choice.bar:
                continue
            in_its_way = why or self._obstacle(choice, load)
            if in_its_way is None:
                return self._promised(tier, choice, deadline_s, seen)
            obstacle = obstacle or in_its_way
            if able is None and choice.variants.isdisjoint(load.absent):
                able = choice, seen
        worth = WORTH_TRYING
        if able is None:
            able = offer.most(left, work, now, load.absent)
            if able is not None and not able[0].variants.isdisjoint(load.contended):
                worth = WORTH_A_PLACE
        return _otherwise(tier, offer.own[0], able, deadline_s, obstacle or why or "load", worth)

    def hopeless_s(self, ask: Ask) -> float:
        """With no more seconds left when `ask` goes upstream it is no use.

        As things were in the profile, on a device that has nothing else to do. Raises UnknownTier.
        """
        return _offer(self._offers[self.tier(ask).name], ask.deadline_s)[0].hopeless_s

    def _promised(self, tier: Tier, choice: Choice, deadline_s: float, seen: Foresight) -> Decision:
        """The same object as long as it is the same: what is foreseen is remembered, too."""
        last = self._last.get(tier.name)
        if last is not None and last[0] is choice and last[1] is seen:
            decision = last[2]
            if decision.deadline_s == deadline_s:
                return decision
        promise = choice.promise
        quality = promise.expected_quality if choice.forecast is None else seen.quality
        decision = Decision(
            tier, choice.plan, deadline_s, promise, None, False, choice.work_s, quality
        )
        self._last[tier.name] = choice, seen, decision
        return decision

    def _obstacle(self, choice: Choice, load: Load) -> BestEffort | None:
        """What, beside the time left, keeps a choice from being promised at present."""
        if load.absent and not choice.variants.isdisjoint(load.absent):
            return "unavailable"
        if load.foreign and not choice.variants.isdisjoint(load.foreign):
            return "fingerprint"
        # With its own there may be as many in flight on each device as were profiled.
        in_flight = load.outstanding + choice.places
        return "load" if in_flight > self._most * load.endpoints else None

    def tier(self, ask: Ask) -> Tier:
        """The tier that is asked for. Raises UnknownTier."""
        if ask.tier is None and ask.tolerance is None:
            if self.table.default is None:
                raise UnknownTier(f"name a tier; there are: {self.offered()}")
            return self._tiers[self.table.default]
        if ask.tier is not None:
            try:
                return self._tiers[ask.tier]
            except KeyError:
                raise UnknownTier(
                    f"no tier is called {ask.tier!r}; there are: {self.offered()}"
                ) from None
        return self._cheapest_as_strict(ask)

    def _cheapest_as_strict(self, ask: Ask) -> Tier:
        assert ask.tolerance is not None
        strict = [
            tier
            for tier in self.table.tiers
            if tier.tolerance <= ask.tolerance and ask.objective in (None, tier.objective)
        ]
        if not strict:
            kind = f" with objective {ask.objective}" if ask.objective else ""
            raise UnknownTier(
                f"no tier is as strict as tolerance {ask.tolerance:g}{kind}; "
                f"there are: {self.offered()}"
            )
        # Tolerance is what a client gives away: the most tolerant of the strict ones is cheapest.
        return max(strict, key=lambda tier: tier.tolerance)

    def offered(self) -> str:
        """The offered tiers in one line, for messages."""
        return (
            ", ".join(
                f"{tier.name} (tolerance {tier.tolerance:g}, {tier.objective})"
                for tier in self.table.tiers
            )
            or "none"
        )


def _offer(
    offered: tuple[Offer, ...], deadline_s: float | None
) -> tuple[Offer, float, BestEffort | None]:
    """The offer for a request with this deadline, the deadline that applies, what is amiss."""
    if deadline_s is None or deadline_s >= offered[-1].promise.deadline_s:
        return offered[-1], offered[-1].promise.deadline_s, None
    # A promise at a tighter deadline holds at a looser one, so take the last that fits.
    for offer in reversed(offered):
        if offer.promise.deadline_s <= deadline_s:
            return offer, deadline_s, None
    return offered[0], deadline_s, "deadline"


def _otherwise(
    tier: Tier,
    first: Choice,
    able: tuple[Choice, Foresight] | None,
    deadline_s: float,
    why: BestEffort,
    worth: float,
) -> Decision:
    """What a tier does when nothing keeps its promise.

    able: the best effort there can be. worth: how likely an answer by it has to be.
    """
    choice, seen = (first, Foresight(0.0, 0.0)) if able is None else able
    # That Triton serves something else than was profiled says nothing of what it is worth: a new
    # deployment must not turn away whole tiers.
    refused = tier.otherwise == "shed" and why != "fingerprint"
    shed = refused or seen.answered < worth
    return Decision(
        tier,
        choice.plan,
        deadline_s,
        choice.promise,
        "unavailable" if able is None else why,
        shed,
        choice.work_s,
        seen.quality,
    )
