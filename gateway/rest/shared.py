"""What every REST exchange of one gateway shares."""

from gateway.heads import Heads
from gateway.rest.head import Head
from gateway.rest.render import Renderer
from gateway.service import Service


class Rest:
    """heads: of requests on the hot path, and whether they keep their connection.

    leaving: the gateway is about to end: each answer says that its connection is closed behind it,
    so that no client sends its next request there.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self.renderer = Renderer(service.table)
        self.heads = Heads[tuple[Head, bool]]()
        self.leaving = False

    def reload(self) -> None:
        """The service's tiers or clients are others now."""
        self.renderer = Renderer(self.service.table)
        self.heads = Heads()
