"""What the gateway says of itself is read from its metrics; only what the load brought counts."""

import asyncio

import pytest
from aiohttp import web

from gateway.live.names import DELIVERED, JUDGED
from loadtest.live import counted, since
from tailq.errors import TailqError
from tests.loadtest.serving import served

METRICS = "".join(
    f"# HELP {name}_total x\n# TYPE {name}_total counter\n"
    f'{name}_total{{service="s",source="expected",tier="gold"}} {gold}\n'
    f'{name}_total{{service="s",source="probe",tier="gold"}} {probe}\n'
    for name, gold, probe in ((JUDGED.name, 100.0, 4.0), (DELIVERED.name, 95.5, 3.0))
)


def read(text: str, status: int = 200) -> object:
    """What is read of an admin listener that says so."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(text=text, status=status)

    async def ask(address: str) -> object:
        return await counted(address)

    return served({"/metrics": metrics}, ask)


def test_counts_are_read_by_tier_and_source() -> None:
    """As the gateway's names have them."""
    assert read(METRICS) == {("gold", "expected"): (100.0, 95.5), ("gold", "probe"): (4.0, 3.0)}


@pytest.mark.parametrize(("text", "status"), [("", 200), ("<html>", 200), (METRICS, 500)])
def test_what_is_no_gateway_is_refused(text: str, status: int) -> None:
    """Another page, other metrics, an error: which address, and that there are none."""
    with pytest.raises(TailqError, match=r"--admin 127\.0\.0\.1:.*no gateway's metrics are there"):
        read(text, status)


def test_nobody_there_is_refused() -> None:
    """Port 9 is nobody's."""
    with pytest.raises(TailqError, match=r"--admin 127\.0\.0\.1:9"):
        asyncio.run(counted("127.0.0.1:9"))


def test_only_what_came_between_two_readings_counts() -> None:
    """The mean of what was added; of what was not judged nothing is said."""
    before = {("gold", "expected"): (100.0, 50.0), ("gold", "probe"): (4.0, 3.0)}
    after = {
        ("gold", "expected"): (200.0, 140.0),
        ("gold", "probe"): (4.0, 3.0),
        ("silver", "expected"): (10.0, 8.0),
    }
    assert since(before, after) == {"gold": {"expected": 0.9}, "silver": {"expected": 0.8}}
