"""Probes from the command line: what is in the file is what Triton answers as it says."""

from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc as client

from deploy.embedded import EmbeddedTriton
from tailq import probes
from tailq.probes import Probes
from tests.profiler.conftest import Cli

pytestmark = pytest.mark.triton

QUICK = (
    *("--service", "toy", "--loads", "1", "--open-loop", "", "--deadlines-ms", "5000"),
    *("--samples-per-round", "5", "--max-rounds", "3"),
)


def answered(triton: EmbeddedTriton, model: str, sent: Probes) -> list[int]:
    """Classes that a model answers to the probes, one request each, sent as they are."""
    server = client.InferenceServerClient(triton.endpoints.grpc)
    classes = []
    for number in range(sent.labels.size):
        tensors = []
        for name, values in sent.inputs.items():
            tensor = client.InferInput(name, list(values.shape[1:]), sent.datatypes[name])
            tensors.append(tensor.set_data_from_numpy(values[number]))
        classes.append(int(server.infer(model, tensors).as_numpy("scores").argmax()))
    server.close()
    return classes


def test_a_run_leaves_probes_that_are_answered_as_they_say(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """The profile's folder has them, of this profile, ready to be sent; fewer can be had."""
    out = tmp_path / "profile"
    given = ("--triton", triton.endpoints.grpc, "--dataset", toy_data)
    ran = cli("run", *given, "--out", out, *QUICK, "--models", "toy_logits,unbatched_toy")
    assert ran.code == 0, ran.err
    assert "300 probes: the quality of each variant on them is within 0.00 points" in ran.err
    made = probes.read(out / probes.FILE)
    assert made.inputs["images"].shape == (300, 1, 1, 4, 4)
    assert made.labels.tolist() == np.load(toy_data)["labels"].tolist()
    for model in ("toy_logits", "unbatched_toy"):
        assert answered(triton, model, made) == made.answers[model].tolist()

    before = {path.name: path.read_bytes() for path in out.iterdir() if path.name != probes.FILE}
    added = cli("probes", out, *given, "--samples", "50")
    assert added.code == 0, added.err
    assert "50 probes: the quality of each variant on them is within 0.00 points" in added.out
    few = probes.read(out / probes.FILE)
    assert few.profile == made.profile
    assert (few.answers["toy_logits"] == few.labels).mean() == 0.8
    assert answered(triton, "toy_logits", few) == few.answers["toy_logits"].tolist()
    assert before == {
        path.name: path.read_bytes() for path in out.iterdir() if path.name != probes.FILE
    }

    elsewhere = tmp_path / "elsewhere.npz"
    assert cli("probes", out, *given, "--out", elsewhere).code == 0
    assert probes.read(elsewhere).labels.size == 300

    np.savez(tmp_path / "other.npz", inputs=np.zeros((9, 1, 4, 4)), labels=np.zeros(9, int))
    refused = cli("probes", out, *given[:2], "--dataset", tmp_path / "other.npz")
    assert refused.code == 2
    assert "is not what" in refused.err
    assert "give the same data" in refused.err


def test_where_there_can_be_none_it_is_said(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """By F1 no single answer is right or wrong: a line says so, and the profile is there."""
    out = tmp_path / "profile"
    given = ("--triton", triton.endpoints.grpc, "--dataset", toy_data)
    ran = cli("run", *given, "--out", out, *QUICK, "--metric", "f1")
    assert ran.code == 0, ran.err
    assert "no probes: the gateway can tell whether a class is right (top-1), not f1" in ran.err
    assert not (out / probes.FILE).exists()
    refused = cli("probes", out, *given)
    assert refused.code == 2
    assert "no probes: " in refused.err
