"""A real Triton whose models can be exchanged, and a gateway and a Prometheus in front of it."""

import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from onnx import ModelProto

from deploy.demo.steps import REPOSITORY
from deploy.embedded import EmbeddedTriton
from profiler.datasets.base import Floats
from tailq.tier import Served, TierTable
from tests.deploy.prometheus.conftest import MODELS, Profiled
from tests.deploy.prometheus.faults.load import Load
from tests.gateway.process import GatewayProcess
from tests.prometheus import Prometheus
from tests.promql import RULE_FILES

# Requests a second, and the share of which the label is told; probes a second over both tiers.
RATES = {"gold": 40.0, "silver": 20.0}
LABELLED = 0.1
PROBES_PER_S = 8
# Latencies in the table are so many times the profile's: whatever else runs on this machine is no
# fault.
ROOM = 2.0


@dataclass(frozen=True)
class Breakable:
    """A Triton of our own, with a repository of our own."""

    triton: EmbeddedTriton
    repository: Path

    def model(self, name: str) -> Path:
        """Where a variant's model lies."""
        return self.repository / name / "1" / "model.onnx"

    @contextmanager
    def exchanged(self, name: str, model: ModelProto) -> Iterator[None]:
        """Triton serves another model by this name."""
        path = self.model(name)
        kept = path.read_bytes()
        path.write_bytes(model.SerializeToString())
        self._load(name)
        try:
            yield
        finally:
            path.write_bytes(kept)
            self._load(name)

    def _load(self, name: str) -> None:
        url = f"http://{self.triton.endpoints.http}/v2/repository/models/{name}/load"
        with urllib.request.urlopen(urllib.request.Request(url, data=b"{}"), timeout=60) as answer:
            assert answer.status == 200


@dataclass(frozen=True)
class Rig:
    """All that runs: what serves, what watches, who asks. image: any one. begun: when it began."""

    served: Breakable
    table: TierTable
    gateway: GatewayProcess
    prometheus: Prometheus
    load: Load
    image: Floats
    begun: float

    def promised(self, tier: str) -> float:
        """Quality at the tier's own deadline."""
        [found] = [one for one in self.table.tiers if one.name == tier]
        return found.promises[-1].quality


@pytest.fixture(scope="session")
def breakable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Breakable]:
    """The variants that were profiled, served by a Triton whose models can be exchanged."""
    repository, log = tmp_path_factory.mktemp("repository"), tmp_path_factory.mktemp("breakable")
    for model in MODELS:
        shutil.copytree(REPOSITORY / model, repository / model)
    with EmbeddedTriton(repository, log_dir=log, models=list(MODELS)) as server:
        yield Breakable(server, repository)


@pytest.fixture
def rig(breakable: Breakable, profiled: Profiled, tmp_path: Path) -> Iterator[Rig]:
    """Under load, watched from its first second on by the rules as they are shipped."""
    settings = tmp_path / "gateway.toml"
    begun = time.time()
    settings.write_text(f"[probes]\nper_s = {PROBES_PER_S}\n")
    table = with_room(profiled.tiers)
    options = (f"--settings={settings}", f"--probes={profiled.probes}")
    with (
        GatewayProcess(tmp_path, table, breakable.triton.endpoints.http, *options) as gateway,
        Prometheus(
            tmp_path / "prometheus",
            {"tailq-gateway": [gateway.admin.removeprefix("http://")]},
            RULE_FILES,
        ) as prometheus,
        Load(gateway, table, profiled.unseen, RATES, LABELLED) as load,
    ):
        prometheus.until_up()
        yield Rig(breakable, table, gateway, prometheus, load, profiled.unseen.values[0], begun)
    assert "Traceback" not in gateway.log


def with_room(table: TierTable) -> TierTable:
    """The same promises by variants that are slower, as far as the table knows."""
    served = {name: _slower(each) for name, each in table.served.items()}
    return table.model_copy(update={"served": served})


def _slower(served: Served) -> Served:
    known = served.under_load
    assert known is not None
    quantiles = tuple(
        each.model_copy(update={"latency_s": tuple(ROOM * one for one in each.latency_s)})
        for each in known.quantiles
    )
    return served.model_copy(
        update={"under_load": known.model_copy(update={"quantiles": quantiles})}
    )
