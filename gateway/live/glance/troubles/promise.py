"""Whether each tier's promise is kept: rules/promise.yml."""

from collections.abc import Iterator
from typing import Final

from gateway.live import names
from gateway.live.glance.numbers import Numbers
from gateway.live.glance.troubles.seen import Seen, page
from gateway.live.view import Trouble

_BURN: Final = 2.0  # times the error budget, over both spans
_BUDGET: Final = 25.0  # requests that the budget has to be worth, for chance to be ruled out


def found(seen: Seen) -> Iterator[Trouble]:
    """Broken, or burning its error budget: 1 - promised."""
    for (tier, source), evidence in seen.numbers.by(names.EVIDENCE, "tier", "source").items():
        if evidence >= 1:
            yield page(
                f"The promise of {tier} is broken: by {source} quality the evidence is "
                f"{evidence:.3g} times what it takes to say so.",
                "TailqPromiseBroken",
            )
    fast, slow = _burn(seen.recent), _burn(seen.longer)
    for key, (burn, budget) in slow.items():
        tier, source = key
        if burn > _BURN and fast.get(key, (0.0, 0.0))[0] > _BURN and budget >= _BUDGET:
            yield page(
                f"{tier} loses {burn:.3g} times the quality that its promise allows, by {source} "
                f"quality in the last 15 minutes; the limit is {_BURN:g}.",
                "TailqPromiseBurning",
            )


def _burn(numbers: Numbers) -> dict[tuple[str, ...], tuple[float, float]]:
    """Error budget used over error budget, and that budget in requests, by tier and source."""
    labels = ("tier", "source")
    delivered = numbers.by(names.DELIVERED, *labels)
    promised = numbers.by(names.PROMISED, *labels)
    burns = {}
    for key, judged in numbers.by(names.JUDGED, *labels).items():
        budget = judged - promised.get(key, 0.0)
        if budget > 1e-6 * judged:
            burns[key] = ((judged - delivered.get(key, 0.0)) / budget, budget)
    return burns
