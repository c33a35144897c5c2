"""The one decision: (what is asked, present load) -> plan, deadline and whether it is promised."""

from dataclasses import dataclass
from typing import Literal

from tailq.errors import UnknownTier
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
    flight on the device that the next one would go to. outstanding_s: the sum of their variants'
    `Served.service_s`, seconds. absent: variants that cannot be asked at present. foreign: variants
    that are not what was profiled.
    """

    now: float = 0.0
    outstanding: int = 0
    outstanding_s: float = 0.0
    absent: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do: execute `plan`, answer within `deadline_s` seconds of arrival.

    promise: the compiled promise the plan comes from. best_effort: why it is not held to for this
    request (None: it is). shed: nothing is to be tried: the tier would rather refuse. work_s:
    device-seconds the plan is expected to take. expected_quality: probability, foreseen at
    present, that the request is answered right and in time.
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
    """Decides for one tier table. Immutable; what can be looked up is prepared here, once."""

    def __init__(self, table: TierTable) -> None:
        self.table = table
        self._tiers = {tier.name: tier for tier in table.tiers}
        self._max_outstanding = table.conditions.max_outstanding

    def decide(self, ask: Ask, elapsed_s: float, load: Load) -> Decision:
        """Choose the plan for `ask`, of whose time `elapsed_s` is gone (or will be, waiting).

        Raises UnknownTier if no such tier is offered; never falls back to another one.
        """
        tier = self.tier(ask)
        overloaded = load.outstanding >= self._max_outstanding
        if ask.deadline_s is None or ask.deadline_s >= tier.deadline_s:
            promise = tier.promises[-1]
            return Decision(
                tier, promise.plan, promise.deadline_s, promise, "load" if overloaded else None
            )
        # A promise at a tighter deadline holds at a looser one, so take the last that fits.
        fitting = [p for p in tier.promises if p.deadline_s <= ask.deadline_s]
        if not fitting:
            promise = tier.promises[0]
            return Decision(tier, promise.plan, ask.deadline_s, promise, "deadline")
        promise = fitting[-1]
        return Decision(tier, promise.plan, ask.deadline_s, promise, "load" if overloaded else None)

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
