"""What GET /v1/live says (view.py), computed from the merged numbers of all processes."""

from gateway.live.glance.numbers import lately
from gateway.live.glance.whole import glance

__all__ = ["glance", "lately"]
