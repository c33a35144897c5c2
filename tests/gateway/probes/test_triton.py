"""Probes through a real Triton: its answers are those that it gave before, as long as they are."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput

from deploy.embedded.server import EmbeddedTriton
from tailq import probes
from tailq.probes import Probes
from tests.gateway.classes import classifying
from tests.gateway.conftest import REAL_TABLE
from tests.gateway.process import GatewayProcess
from tests.gateway.workers.test_workers import until

pytestmark = pytest.mark.triton
COUNT = 25
TABLE = classifying(REAL_TABLE)


def profiled(triton: EmbeddedTriton) -> Probes:
    """What Triton answers to random images, which is taken for right where it is nano's."""
    images = np.random.default_rng(7).random((COUNT, 1, 1, 28, 28), dtype=np.float32)
    answers: dict[str, list[int]] = {name: [] for name in TABLE.variants}
    with InferenceServerClient(triton.endpoints.http) as client:
        for name, classes in answers.items():
            for image in images:
                one = InferInput("images", image.shape, "FP32")
                one.set_data_from_numpy(image)
                logits = client.infer(name, [one]).as_numpy("logits")
                classes.append(int(logits.argmax()))
    known = {name: np.asarray(classes) for name, classes in answers.items()}
    return Probes(
        profile=TABLE.conditions.profile,
        inputs={"images": images},
        datatypes={"images": "FP32"},
        labels=known["fashion_nano"],
        answers=known,
    )


async def test_answers_are_the_profiles_until_they_are_not(
    triton: EmbeddedTriton, tmp_path: Path
) -> None:
    """All of them the same; with other answers on file, all of that variant's are others."""
    file = tmp_path / "probes.npz"
    found = profiled(triton)
    probes.write(file, found)
    settings = tmp_path / "gateway.toml"
    settings.write_text("[probes]\nper_s = 100\n")
    options = (f"--settings={settings}", f"--probes={file}")
    with GatewayProcess(tmp_path, TABLE, triton.endpoints.http, *options) as gateway:

        def answers(variant: str, result: str) -> float:
            labels = f'result="{result}",service="fashion",variant="{variant}"'
            return gateway.metrics()[f"tailq_probe_answers_total{{{labels}}}"]

        def enough(variant: str, result: str, count: int) -> bool:
            return answers(variant, result) >= count

        for variant in TABLE.variants:
            await until(partial(enough, variant, "same", 2 * COUNT))
            assert answers(variant, "other") == 0
        metrics = gateway.metrics()
        nano = '{service="fashion",source="probe",tier="fast"}'
        judged = metrics["tailq_quality_judged_total" + nano]
        assert judged == metrics["tailq_quality_delivered_total" + nano] >= 2 * COUNT
        assert gateway.outcomes() == {}

        swapped = {**found.answers, "fashion_tiny": (found.answers["fashion_tiny"] + 1) % 10}
        probes.write(file, replace(found, answers=swapped))
        await until(partial(enough, "fashion_tiny", "other", COUNT))
        assert answers("fashion_nano", "other") == 0
