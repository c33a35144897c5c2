"""A running Triton with tiny models, and repositories to start others on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded import EmbeddedTriton
from deploy.embedded.errors import UnsupportedPlatformError
from deploy.embedded.installation import find_installation
from tests.deploy.embedded import models


def _needs_triton() -> None:
    try:
        find_installation()
    except UnsupportedPlatformError as error:
        pytest.skip(str(error))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A model repository with one model, `linear`."""
    _needs_triton()
    root = tmp_path / "repository"
    models.add_model(root, "linear", models.linear())
    return root


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A server with one model for each thing the backend must do."""
    _needs_triton()
    root = tmp_path_factory.mktemp("triton")
    repository = root / "repository"
    types = {name: element for name, (element, _, _) in models.TYPES.items()}
    # Waits until the batch is full, so that what runs together is not a matter of luck.
    full = "dynamic_batching { preferred_batch_size: [ %d ] max_queue_delay_microseconds: 9000000 }"
    models.add_model(repository, "linear", models.linear(), "max_batch_size: 8")
    models.add_model(repository, "types", models.identities(types), "max_batch_size: 4")
    models.add_model(repository, "unbatched", models.double((3,)), "max_batch_size: 0")
    models.add_model(repository, "undescribed", models.double())
    models.add_model(repository, "joined", models.linear(), "max_batch_size: 3\n" + full % 3)
    models.add_model(repository, "lookup", models.lookup(), "max_batch_size: 2\n" + full % 2)
    models.add_model(
        repository,
        "ragged",
        models.double(),
        'max_batch_size: 2 input [ { name: "x" data_type: TYPE_FP32 dims: [ -1 ] '
        'allow_ragged_batch: true } ] output [ { name: "y" data_type: TYPE_FP32 dims: [ -1 ] } ]\n'
        + full
        % 2,
    )
    server = EmbeddedTriton(repository, log_dir=root / "log")
    server.start()
    yield server
    server.kill()
