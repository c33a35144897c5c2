"""All clients of a gateway, found by their keys."""

from collections.abc import Callable, Iterator

from gateway.clients.client import Client, Standing
from gateway.clients.gcra import Cell
from gateway.clients.keys import digest_of
from gateway.clients.settings import ANONYMOUS, Bounds, ClientsSettings
from gateway.errors import Unauthorized


def _own(_name: str) -> Cell:
    return [0.0]


class Clients:
    """Immutable but for how each client stands.

    before: the clients that these replace; who is there again, by name, keeps its standing, and
    what it has in flight. cell: where the quota of a new name is counted, for workers to share it.
    unknown: requests so far without a key that is known, where one was needed.
    """

    def __init__(
        self,
        settings: ClientsSettings,
        before: "Clients | None" = None,
        cell: Callable[[str], Cell] = _own,
    ) -> None:
        self.unknown: int = before.unknown if before is not None else 0
        # Kept also of those who are gone for now, or a reload could be used to forget a quota.
        self._standings: dict[str, Standing] = before._standings if before is not None else {}
        self._cell = cell
        without_key = settings.without_key
        self._anonymous = None if without_key is None else self._client(ANONYMOUS, without_key)
        self._named = [self._client(name, each) for name, each in settings.named.items()]
        self._by_digest = {
            digest: client for client in self._named for digest in settings.named[client.name].keys
        }

    def _client(self, name: str, bounds: Bounds) -> Client:
        standing = self._standings.get(name)
        if standing is None:
            standing = self._standings[name] = Standing(self._cell(name))
        return Client(name, bounds, standing)

    @property
    def standings(self) -> Iterator[tuple[str, Standing]]:
        """By name, of every client that was ever counted, also of those who are gone."""
        for name, standing in self._standings.items():
            uncounted = self._anonymous is not None and self._anonymous.free
            if name != ANONYMOUS or not uncounted or standing.admitted:
                yield name, standing

    def __iter__(self) -> Iterator[Client]:
        if self._anonymous is not None:
            yield self._anonymous
        yield from self._named

    def identify(self, authorization: bytes | None) -> Client:
        """Whose request it is, by its `Authorization`. None: not sent. Raises Unauthorized.

        An unknown key is refused where no key would have been fine: its sender counts on what the
        key stands for. Where nobody has a key, the header is not ours and not looked at.
        """
        anonymous = self._anonymous
        if anonymous is not None and (authorization is None or not self._by_digest):
            return anonymous
        try:
            if authorization is None:
                raise Unauthorized("a key is needed; send the header Authorization: Bearer KEY")
            client = self._by_digest.get(digest_of(authorization))
            if client is None:
                raise Unauthorized("nobody has the key that was sent")
        except Unauthorized:
            self.unknown += 1
            raise
        return client
