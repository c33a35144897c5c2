"""How many requests each tier gets."""

from collections.abc import Sequence

from tailq.errors import TailqError
from tailq.tier import TierTable

_EACH = 10.0
_MOST = 100_000.0


def parse(texts: Sequence[str], table: TierTable) -> dict[str, float]:
    """Requests a second, by tier, in the table's order.

    texts: `TIER=NUMBER`, or `NUMBER` for all tiers together, which share it equally; a tier that
    is not told gets 10. Raises TailqError on any other.
    """
    names = [tier.name for tier in table.tiers]
    wanted = dict.fromkeys(names, _EACH)
    for text in texts:
        name, named, number = text.rpartition("=")
        try:
            rate = float(number)
        except ValueError:
            rate = 0.0
        if (named and name not in names) or not 0 < rate <= _MOST:
            raise TailqError(
                f"--rate {text}: wants requests a second, or TIER=REQUESTS_PER_SECOND with "
                f"a tier of {sorted(names)}"
            )
        for tier in [name] if named else names:
            wanted[tier] = rate if named else rate / len(names)
    return wanted
