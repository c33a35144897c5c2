"""A client's quota in header fields: draft-ietf-httpapi-ratelimit-headers-11 (May 2026).

For HTTP, and as metadata for gRPC.
"""

import math
from functools import lru_cache
from typing import Final

from gateway.clients.client import Client
from gateway.clients.gcra import Rate
from gateway.errors import Quota, QuotaExceeded

REQUESTS: Final = "requests"
IN_FLIGHT: Final = "in-flight"
# Seconds after which one who has too much in flight may look again: answers take less.
_SOON_S: Final = 1


def fields(client: Client, now: float) -> tuple[tuple[str, str], ...]:
    """Names in lower case and values; none for a client without a quota."""
    policy = _policy(client.rate, client.max_in_flight)
    if not policy:
        return ()
    quota = client.quota(now)
    if quota is None:
        return (("ratelimit-policy", policy),)
    left = f'"{REQUESTS}";r={quota.remaining};t={_window(quota)}'
    return (("ratelimit-policy", policy), ("ratelimit", left))


@lru_cache
def _policy(rate: Rate | None, max_in_flight: int | None) -> str:
    policies = []
    if rate is not None:
        policies.append(f'"{REQUESTS}";q={rate.requests};w={rate.window_s}')
    if max_in_flight is not None:
        policies.append(f'"{IN_FLIGHT}";q={max_in_flight};qu="concurrent-requests"')
    return ", ".join(policies)


def _window(quota: Quota) -> int:
    """In how many seconds no more than what remains should be used.

    Until all is there again: a client that spreads what remains over this time comes to the rate
    that it may keep up. With nothing left, until there is one: the same as Retry-After.
    """
    return math.ceil(quota.reset_s if quota.remaining else quota.retry_s)


def retry_after_s(error: QuotaExceeded) -> int:
    """Whole seconds after which it is worth a try."""
    return _SOON_S if error.quota is None else max(1, math.ceil(error.quota.retry_s))


def violated(error: QuotaExceeded) -> str:
    """The policy that a request went against, by its name in `RateLimit-Policy`."""
    return IN_FLIGHT if error.quota is None else REQUESTS
