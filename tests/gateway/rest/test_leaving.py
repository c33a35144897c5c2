"""A gateway that is about to end."""

from tests.gateway.client import Client, infer
from tests.gateway.running import Running


async def test_kept_connections_end_behind_an_answer(gateway: Running, client: Client) -> None:
    """Closed while idle, one might be closed under the next request."""
    for _ in range(2):  # the second one by a head that is known
        assert "connection" not in (await client.ask(infer())).headers
    gateway.gateway.rest.leaving = True
    got = await client.ask(infer())
    assert (got.status, got.headers["connection"]) == (200, "close")
    assert await client.at_end()
