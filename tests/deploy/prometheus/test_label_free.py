"""What is expected without labels is what labels say: within a point, of images nobody profiled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table

from deploy.demo.steps import REPOSITORY, Demo
from deploy.embedded import EmbeddedTriton
from gateway.dataplane import Answer
from gateway.live.live import Live
from gateway.live.metrics import Metrics, Views
from gateway.live.names import DELIVERED, JUDGED
from gateway.reading import AnswerReader
from gateway.upstream.base import Reply
from tailq.route import Decision
from tailq.tier import Tier
from tests.deploy.prometheus.conftest import Profiled
from tests.deploy.prometheus.faults.weights import load, session

A_POINT = 0.01
LATE = 10  # of so many requests one
# In which every tier of the demo asks for 3000 images or more: half a point is two standard errors.
DURATION_S = 300


@pytest.mark.triton
def test_the_estimate_is_within_a_point_of_recorded_answers(profiled: Profiled) -> None:
    """Of every tier, over all images that the profile never saw, of which some come too late."""
    table = profiled.tiers
    live = Live(table, AnswerReader(table.served).many, Metrics(table, Views()))
    true = {}
    for tier in table.tiers:
        [variant] = tier.promises[-1].plan.variants
        logits = answers(variant, profiled.unseen.values)
        in_time = np.arange(len(logits)) % LATE != 0
        for row, came in zip(logits, in_time, strict=True):
            live.answered(answer(tier, row if came else None))
        true[tier.name] = float(
            ((logits.argmax(axis=1) == profiled.unseen.labels) & in_time).mean()
        )
    points: dict[Any, Any] = {(spec, labels): value for spec, labels, value in live.points()}
    for name, quality in true.items():
        judged, expected = (points[spec, (name, "expected")] for spec in (JUDGED, DELIVERED))
        assert judged == len(profiled.unseen.labels)
        assert expected / judged == pytest.approx(quality, abs=A_POINT)


def answers(variant: str, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logits of its model, [images, classes]."""
    model = session(load(REPOSITORY / variant / "1" / "model.onnx"))
    return np.asarray(model.run(None, {"images": images})[0])


def answer(tier: Tier, logits: NDArray[np.float32] | None) -> Answer:
    """As Triton says it; None: nothing by the deadline."""
    promise = tier.promises[-1]
    [variant] = promise.plan.variants
    decision = Decision(tier, promise.plan, promise.deadline_s, promise, None)
    if logits is None:
        return Answer("late", decision, None, promise.deadline_s, variant=variant)
    output: dict[str, Any] = {"name": "logits", "datatype": "FP32", "shape": [1, len(logits)]}
    output["parameters"] = {"binary_data_size": logits.nbytes}
    head = json.dumps({"model_name": variant, "outputs": [output]}).encode()
    result = Reply(head + logits.astype("<f4").tobytes(), len(head))
    return Answer("on_time", decision, result, 0.01, variant=variant, asked=(variant,))


@pytest.mark.triton
@pytest.mark.detection
def test_the_estimate_is_within_a_point_of_what_the_demos_clients_got(tmp_path: Path) -> None:
    """Of every tier, whatever its plan is, late, shed and failed requests included."""
    steps = Demo(tmp_path, Console())
    steps.prepare_data()
    with EmbeddedTriton(REPOSITORY, log_dir=tmp_path / "triton") as triton:
        steps.measure(triton.endpoints.grpc)
        steps.compile()
        with steps.gateway(triton.endpoints.http, 0) as gateway:
            steps.load(gateway, DURATION_S)
    tiers = json.loads(steps.report.read_text())["tiers"]
    show(tiers)
    for delivered in tiers.values():
        assert abs(delivered["live"]["expected"] - delivered["right"]) < A_POINT


def show(tiers: dict[str, Any]) -> None:
    """A table for people and a line of JSON."""
    table = Table(title="Quality at the deadline, %, of the same requests", box=box.SIMPLE_HEAD)
    for heading in ("tier", "requests", "by labels", "expected without", "off by"):
        table.add_column(heading, justify="left" if heading == "tier" else "right")
    for name, one in tiers.items():
        true, expected = 100 * one["right"], 100 * one["live"]["expected"]
        figures = (f"{true:.2f}", f"{expected:.2f}", f"{expected - true:+.2f}")
        table.add_row(name, str(one["requests"]), *figures)
    Console().print(table)
    print(
        json.dumps({name: [one["right"], one["live"]["expected"]] for name, one in tiers.items()})
    )
