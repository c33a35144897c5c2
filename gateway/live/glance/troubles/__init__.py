"""What an operator should look at: the alerts of deploy/prometheus, for those without Prometheus.

A file for each file of rules there, with the same limits. The alerts look back up to six hours,
though, and a gateway knows the last quarter of an hour. TailqPromiseEroding, which takes longer to
tell, is left to them; so is TailqGatewayDown, of course.
"""

from gateway.live.glance.troubles import gateway, profile, promise, traffic
from gateway.live.glance.troubles.seen import Seen
from gateway.live.view import Trouble

__all__ = ["Seen", "troubles"]


def troubles(seen: Seen) -> list[Trouble]:
    """All of them; those for which somebody is to be called first."""
    found = [*promise.found(seen), *gateway.found(seen), *traffic.found(seen), *profile.found(seen)]
    return sorted(found, key=lambda trouble: trouble.severity != "page")
