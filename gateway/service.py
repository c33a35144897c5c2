"""What both protocols share of one gateway: the service's name, its limits, its clients."""

import itertools
import secrets
from typing import Final

from gateway.clients import Clients
from gateway.dataplane import Dataplane
from gateway.errors import UnknownModel
from gateway.live.feedback import Feedback
from gateway.logs import RequestLog
from tailq.tier import TierTable

VERSION: Final = "1"


class Service:
    """One served model.

    max_body: bytes of one request's body. max_buffered: bytes of all bodies held at once.
    buffered: bytes of bodies held now. clients: None: everybody may have everything.
    requests: is told of each answer. feedback: None: none is taken.
    """

    def __init__(self, dataplane: Dataplane, *, max_body: int, max_buffered: int) -> None:
        self.dataplane = dataplane
        self.name = dataplane.router.table.service
        self.max_body = max_body
        self.max_buffered = max_buffered
        self.buffered = 0
        self.clients: Clients | None = None
        self.requests = RequestLog()
        self.feedback: Feedback | None = None
        self._ids = itertools.count(1)
        self._prefix = secrets.token_hex(4).encode()

    @property
    def table(self) -> TierTable:
        """The tiers at present; a reload puts others in their place."""
        return self.dataplane.router.table

    def check(self, model: str, version: str | None) -> None:
        """Raises UnknownModel unless that is what is served here."""
        if model != self.name:
            if model in self.table.variants | {self.table.reference.variant}:
                raise UnknownModel(
                    f"{model!r} is a variant, not served by its own name; "
                    f"ask for {self.name!r} and a tier"
                )
            raise UnknownModel(f"no model is called {model[:64]!r}; there is: {self.name!r}")
        if version not in (None, VERSION):
            raise UnknownModel(f"model {self.name!r} has one version here: {VERSION!r}")

    def new_id(self) -> bytes:
        """A request id: unique across replicas, and cheap."""
        return b"%s-%x" % (self._prefix, next(self._ids))

    def made(self, request_id: bytes) -> bool:
        """Whether it is one of new_id()'s."""
        return request_id.startswith(b"%s-" % self._prefix)
