"""What every REST exchange of one gateway shares."""

from gateway import forward
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
        self._own: list[tuple[bytes, bytes]] = []
        self._own_lines = b""

    def own_lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """The server's own headers, of which uvicorn makes a new list each second."""
        if headers is not self._own:
            self._own, self._own_lines = headers, forward.lines(headers)
        return self._own_lines

    def reload(self) -> None:
        """The service's tiers or clients are others now."""
        self.renderer = Renderer(self.service.table)
        self.heads = Heads()
