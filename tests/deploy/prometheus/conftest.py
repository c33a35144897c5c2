"""A real Triton, really profiled: tiers and probes as an operator has them, made in 20 seconds."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.steps import REPOSITORY
from deploy.embedded import EmbeddedTriton
from profiler.datasets import load_fashion_mnist
from profiler.datasets.base import ArrayDataset
from tailq import artefact, probes
from tailq.tier import TierTable

# The two smallest variants, each with a tier of its own, and more time than they need on any
# machine: nothing is wrong where the tests do not make it so.
MODELS = ("fashion_nano", "fashion_tiny")
SPEC = """
confidence: 0.95
plans: [single]
tiers:
  gold: {tolerance: 0.03, deadlines_ms: [1000]}
  silver: {tolerance: 0.2, deadlines_ms: [1000]}
"""


@dataclass(frozen=True)
class Profiled:
    """triton: HOST:PORT of its HTTP endpoint. unseen: images that the profile never saw."""

    triton: str
    tiers: TierTable
    probes: Path
    unseen: ArrayDataset


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedTriton]:
    """A real Triton with the two smallest variants."""
    log = tmp_path_factory.mktemp("triton")
    with EmbeddedTriton(REPOSITORY, log_dir=log, models=list(MODELS)) as server:
        yield server


@pytest.fixture(scope="session")
def profiled(triton: EmbeddedTriton, tmp_path_factory: pytest.TempPathFactory) -> Profiled:
    """What `tailq-profile` makes of them."""
    folder = tmp_path_factory.mktemp("profiled")
    spec, profile, table = folder / "spec.yaml", folder / "profile", folder / "tiers.json"
    spec.write_text(SPEC)
    _profile(
        *("run", "--triton", triton.endpoints.grpc, "--service", "fashion"),
        *("--dataset", "fashion-mnist", "--models", ",".join(MODELS), "--out", str(profile)),
        *("--loads", "1,4", "--open-loop", "", "--deadlines-ms", "1000", "--budget-s", "10"),
    )
    _profile("tiers", str(profile), "--spec", str(spec), "--out", str(table))
    return Profiled(
        triton.endpoints.http,
        artefact.read(table, TierTable),
        profile / probes.FILE,
        load_fashion_mnist("unseen"),
    )


def _profile(*options: str) -> None:
    command = [str(Path(sys.executable).with_name("tailq-profile")), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
