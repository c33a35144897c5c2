"""Who asks, what it may have, and how much of it."""

from gateway.clients.client import Client
from gateway.clients.clients import Clients

__all__ = ["Client", "Clients"]
