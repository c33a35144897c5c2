"""Whether the gateway, its Tritons and their variants are there: rules/gateway.yml."""

from collections.abc import Iterator

from gateway.live import names
from gateway.live.glance.troubles.seen import Seen, page, ticket
from gateway.live.view import Trouble


def found(seen: Seen) -> Iterator[Trouble]:
    """Something is down, missing, crashed or refused."""
    for (endpoint,), up in seen.numbers.by(names.UPSTREAM_UP, "endpoint").items():
        if not up:
            yield page(f"The Triton at {endpoint} does not answer.", "TailqUpstreamDown")
    for (variant,), absent in seen.numbers.by(names.ABSENT, "variant").items():
        if absent:
            yield ticket(f"{variant} cannot be asked at any Triton.", "TailqVariantAbsent")
    for (file, result), count in seen.longer.by(names.RELOADS, "file", "result").items():
        if result == "refused" and count:
            yield ticket(
                f"Changed {file} were refused in the last 15 minutes; the old are in use.",
                "TailqReloadRefused",
            )
    restarts = seen.longer.one(names.RESTARTS)
    if restarts:
        yield ticket(
            f"{restarts:.0f} worker processes crashed in the last 15 minutes.",
            "TailqWorkerRestarts",
        )
