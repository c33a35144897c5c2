"""What the gateway itself says it delivered, read from its metrics before and after the load."""

from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from gateway.live.names import DELIVERED, JUDGED
from tailq.errors import TailqError

# (tier, source) -> requests that were judged, and their quality added up.
Counts = Mapping[tuple[str, str], tuple[float, float]]


async def counted(admin: str) -> Counts:
    """Read the counts so far. admin: HOST:PORT. Raises TailqError if none can be read there."""
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://{admin}/metrics", raise_for_status=True) as answer,
        ):
            text = await answer.text()
        families = {each.name: each for each in text_string_to_metric_families(text)}
        judged, delivered = (
            {
                (s.labels["tier"], s.labels["source"]): s.value
                for s in families[spec.name].samples
                if s.name.endswith("_total")
            }
            for spec in (JUDGED, DELIVERED)
        )
    except (aiohttp.ClientError, OSError, ValueError, LookupError) as error:
        raise TailqError(f"--admin {admin}: no gateway's metrics are there ({error})") from None
    return {key: (count, delivered.get(key, 0.0)) for key, count in judged.items()}


def since(before: Counts, after: Counts) -> dict[str, dict[str, float]]:
    """Mean quality at the deadline between two readings, by tier and how it is known."""
    found: dict[str, dict[str, float]] = {}
    for (tier, source), (judged, delivered) in after.items():
        judged_before, delivered_before = before.get((tier, source), (0.0, 0.0))
        if judged > judged_before:
            mean = (delivered - delivered_before) / (judged - judged_before)
            found.setdefault(tier, {})[source] = mean
    return found
