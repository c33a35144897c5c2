from collections.abc import AsyncIterator, Iterator

import pytest
import tritonclient.grpc as client
import tritonclient.grpc.aio as aio_client

from tests.gateway.grpc.serving import Serving, echo, serving
from tests.gateway.running import MakeRunning
from tests.gateway.stub import Stub


@pytest.fixture
async def served(make_running: MakeRunning) -> AsyncIterator[Serving]:
    """A gateway in front of the stub, listening for gRPC."""
    async with make_running() as running, serving(running) as listening:
        yield listening


@pytest.fixture
def sync(served: Serving) -> Iterator[client.InferenceServerClient]:
    """tritonclient.grpc; its calls block, so they belong into a thread."""
    with client.InferenceServerClient(served.address) as one:
        yield one


@pytest.fixture
async def aio(served: Serving) -> AsyncIterator[aio_client.InferenceServerClient]:
    """tritonclient.grpc.aio."""
    async with aio_client.InferenceServerClient(served.address) as one:
        yield one


@pytest.fixture
def echoing(stub: Stub) -> Stub:
    """The stub, giving each input back as an output."""
    stub.handler = echo
    return stub
