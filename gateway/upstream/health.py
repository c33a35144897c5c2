"""Whether an endpoint is up: a line in the log for each change, none for each request."""

import logging

log = logging.getLogger("tailq.gateway.upstream")


class Health:
    """What was last seen of one endpoint. `is_up` is None until anything was seen."""

    def __init__(self, name: str) -> None:
        self.is_up: bool | None = None
        self._name = name

    def up(self) -> None:
        """It answered."""
        if not self.is_up:
            self.is_up = True
            log.info("Triton at %s is up", self._name)

    def down(self, why: str) -> None:
        """It cannot be reached, or does not answer."""
        if self.is_up is not False:
            self.is_up = False
            log.warning("Triton at %s is down: %s", self._name, why)
