"""What a gateway has to tell its operators, and to do for them."""

from typing import Any, Protocol

from gateway.live.families import Families
from gateway.reload.reloader import Verdict
from tailq.tier import TierTable


class Operated(Protocol):
    """A gateway, of one process or of many, as its operator sees it."""

    @property
    def table(self) -> TierTable:
        """The tiers that are served."""
        ...

    async def families(self) -> Families:
        """Every number, as of now."""
        ...

    async def state(self) -> dict[str, Any]:
        """How things stand."""
        ...

    async def reload(self) -> list[Verdict]:
        """Look at the files again, now."""
        ...

    def unwell(self) -> str | None:
        """What is wrong with the gateway's own processes; None: nothing."""
        ...
