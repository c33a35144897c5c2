from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from deploy.embedded.server import EmbeddedTriton
from tailq.tier import Reference
from tests.gateway.client import Client
from tests.gateway.process import GatewayProcess
from tests.gateway.running import MakeRunning, Running, before
from tests.gateway.stub import Stub
from tests.tables import promise, table, tier

REPOSITORY = Path(__file__).parents[2] / "model_repository" / "fashion"
REAL_TABLE = table(
    tier("gold", 0.0, promise("fashion_tiny", 10.0)),
    tier("fast", 0.1, promise("fashion_nano", 10.0)),
    max_outstanding=64,
).model_copy(update={"reference": Reference(variant="fashion_tiny", quality=0.95)})


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    """A stub in Triton's place."""
    server = Stub()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def make_running(stub: Stub) -> MakeRunning:
    """Makes gateways with other settings or tiers in front of the stub."""
    return before(stub)


@pytest.fixture
async def gateway(make_running: MakeRunning) -> AsyncIterator[Running]:
    """A gateway in front of the stub."""
    async with make_running() as running:
        yield running


@pytest.fixture
async def client(gateway: Running) -> Client:
    """A connection to the gateway."""
    return await gateway.client()


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A real Triton with the two smallest variants."""
    server = EmbeddedTriton(
        REPOSITORY,
        log_dir=tmp_path_factory.mktemp("triton"),
        models=["fashion_nano", "fashion_tiny"],
    )
    with server:
        yield server


@pytest.fixture(scope="session")
def real(
    triton: EmbeddedTriton, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """A gateway as a process, in front of the real Triton."""
    folder = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(folder, REAL_TABLE, triton.endpoints.http, "--max-body-mib=1") as gateway:
        yield gateway
