"""Everything an operator can set, with the defaults, and where it is read from."""

from gateway.settings.load import Given, load
from gateway.settings.model import Settings

__all__ = ["Given", "Settings", "load"]
