"""`tailq-profile run` for every task on a real Triton: answers, and quality by outside tools."""

import json
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.metrics import f1_score, ndcg_score

from deploy.embedded import EmbeddedTriton
from profiler.record.observations import OpenProfile, open_profile
from profiler.tasks.base import parse
from tailq.tier import ConfidenceIn
from tests.profiler.conftest import Cli
from tests.profiler.tasks import models
from tests.profiler.tasks.detection.coco import coco_map

pytestmark = pytest.mark.triton

QUICK = (
    *("--loads", "1,2", "--deadlines-ms", "0.001,60000", "--open-loop", ""),
    *("--samples-per-round", "6", "--max-rounds", "4"),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The gRPC address of a Triton with models of every task."""
    folder = models.write_repository(tmp_path_factory.mktemp("tasks"))
    with EmbeddedTriton(folder, log_dir=tmp_path_factory.mktemp("log")) as triton:
        yield triton.endpoints.grpc


def measured(cli: Cli, server: str, out: Path, data: Path, service: str, *more: str) -> OpenProfile:
    """Profile a service and check what holds whatever the task."""
    ended = cli(
        *("run", "--triton", server, "--dataset", data, "--out", out, "--service", service),
        *(*QUICK, *more),
    )
    assert ended.code == 0, ended.err
    opened = open_profile(out)
    answers, timed = opened.answers, opened.observations
    assert timed.ok.all()
    # A timed answer is the one to the same sample in a batch.
    said = {
        key: text
        for *key_, text in zip(answers.variant, answers.sample, answers.answer, strict=True)
        for key in [tuple(key_)]
    }
    for variant, sample, text in zip(timed.variant, timed.sample, timed.answer, strict=True):
        assert text == said[variant, sample]
    for variant in opened.profile.variants:
        for load in variant.loads:
            nothing, everything = load.at_deadlines
            assert nothing.quality == nothing.worst == 0
            assert everything.quality == pytest.approx(variant.quality)
    return opened


def spoken(opened: OpenProfile, variant: int = 0) -> tuple[list[Any], list[Any]]:
    """The labels and the answers of a variant, by sample."""
    own = opened.answers.where(opened.answers.variant == variant)
    return parse(own.label), parse(own.answer)


def test_a_detector_is_measured(server: str, tmp_path: Path, cli: Cli) -> None:
    """Its mAP is what pycocotools says of the answers in the profile, in pixels of each image."""
    random = np.random.default_rng(3)
    images, annotations = [], []
    for number in range(14):
        size = (int(random.integers(40, 90)), int(random.integers(40, 90)))
        picture = Image.new("RGB", size)
        draw = ImageDraw.Draw(picture)
        # The same colour twice makes one box around both: a mistake.
        for colour in random.integers(0, models.COLOURS, 2).tolist():
            left, top = random.integers(0, 20, 2).tolist()
            width, height = random.integers(10, 20, 2).tolist()
            paint = tuple(255 if channel == colour else 0 for channel in range(3))
            draw.rectangle((left, top, left + width - 1, top + height - 1), fill=paint)
            annotations.append(
                {
                    "image_id": number,
                    "category_id": colour,
                    "bbox": [left, top, width, height],
                    "iscrowd": 0,
                }
            )
        (tmp_path / "pictures").mkdir(exist_ok=True)
        picture.save(tmp_path / "pictures" / f"{number}.png")
        images.append(
            {"id": number, "file_name": f"{number}.png", "width": size[0], "height": size[1]}
        )
    categories = [{"id": number, "name": str(number)} for number in range(models.COLOURS)]
    data = tmp_path / "instances.json"
    data.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    opened = measured(
        *(cli, server, tmp_path / "profile", data, "see"),
        *("--task", "detection", "--images", str(tmp_path / "pictures")),
    )
    assert (opened.profile.metric.name, opened.profile.metric.additive) == ("map", False)
    labels, answers = spoken(opened)
    expected = coco_map(labels, answers)
    assert 0.2 < expected < 1
    variant = opened.profile.variants[0]
    assert variant.quality == pytest.approx(expected, abs=1e-9)
    assert variant.confidence == ConfidenceIn(output="scores", kind="maximum")


def say(path: Path, level: float, length: int) -> None:
    """A tone of a loudness."""
    signs = np.where(np.arange(length) % 2, 1, -1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes((signs * level * 32767).astype("<i2").tobytes())


def test_a_transcriber_is_measured(server: str, tmp_path: Path, cli: Cli) -> None:
    """Utterances of any length; quality is 1 minus the WER that jiwer says of the answers."""
    random = np.random.default_rng(4)
    lines = []
    for number in range(12):
        level = float(random.uniform(0, 1))
        say(tmp_path / f"{number}.wav", level, int(random.integers(200, 900)))
        right = models.PHRASES[int(level * 4)]
        lines.append({"audio": f"{number}.wav", "text": right if number % 3 else f"{right} now"})
    data = tmp_path / "utterances.jsonl"
    data.write_text("\n".join(map(json.dumps, lines)))
    opened = measured(cli, server, tmp_path / "profile", data, "hear", "--task", "text")
    assert [variant.name for variant in opened.profile.variants] == ["hear_as_is", "hear_louder"]
    for index, variant in enumerate(opened.profile.variants):
        labels, answers = spoken(opened, index)
        assert set(answers) <= set(models.PHRASES)
        assert variant.quality == pytest.approx(1 - jiwer.wer(labels, answers))
    assert opened.profile.variants[0].quality > opened.profile.variants[1].quality > 0
    confidence = opened.answers.confidence
    assert ((confidence > 0.5) & (confidence < 1)).all()
    where = {variant.confidence for variant in opened.profile.variants}
    assert where == {ConfidenceIn(output="confidence", kind="maximum")}


def test_a_translator_is_measured(server: str, tmp_path: Path, cli: Cli) -> None:
    """Texts in, texts out, in batches; one of three is unknown to it."""
    data = tmp_path / "words.csv"
    data.write_text("input,text\nbonjour,Hello!\nmerci,thank you\nchat,cat\n")
    opened = measured(cli, server, tmp_path / "profile", data, "say", "--task", "text")
    assert spoken(opened)[1] == ["hello", "thank you", "what"]
    assert opened.profile.variants[0].quality == pytest.approx(3 / 4)
    assert set(opened.answers.confidence.tolist()) == {1.0}
    assert opened.profile.variants[0].confidence is None


def test_recommenders_are_measured(server: str, tmp_path: Path, cli: Cli) -> None:
    """Scores of all items or ranked items: one NDCG, which is scikit-learn's."""
    random = np.random.default_rng(5)
    users = random.integers(0, models.USERS, 20)
    contexts = random.normal(size=(20, 2)).astype(np.float32)
    scores = models.TASTE[users] + contexts @ models.CONTEXT
    relevant = [random.choice(models.ITEMS, 3, replace=False).tolist() for _ in users]
    data = tmp_path / "interactions.npz"
    np.savez(data, user=users[:, None], context=contexts, relevant=np.array(relevant))
    opened = measured(
        *(cli, server, tmp_path / "profile", data, "offer"),
        *("--task", "ranking", "--metric", "ndcg@5"),
    )
    truth = np.zeros((20, models.ITEMS))
    np.put_along_axis(truth, np.array(relevant), 1, axis=1)
    for index, variant in enumerate(opened.profile.variants):
        assert spoken(opened, index)[1] == np.argsort(-scores, axis=1)[:, :5].tolist()
        assert variant.quality == pytest.approx(ndcg_score(truth, scores, k=5))
    assert opened.profile.metric.additive


def test_a_classifier_is_measured_by_f1(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Weighted F1 of the answers, by scikit-learn; each answer's own score is right or wrong."""
    out = tmp_path / "profile"
    opened = measured(cli, triton.endpoints.grpc, out, toy_data, "toy", "--metric", "f1")
    labels, answers = spoken(opened)
    quality = opened.profile.variants[0].quality
    assert quality == pytest.approx(f1_score(labels, answers, average="weighted"))
    assert set(opened.answers.score.tolist()) == {0.0, 1.0}


def test_a_classifier_is_measured_by_its_best_two(
    triton: EmbeddedTriton, toy_data: Path, tmp_path: Path, cli: Cli
) -> None:
    """Answers are lists of classes, and the label may be any of them."""
    out = tmp_path / "profile"
    opened = measured(cli, triton.endpoints.grpc, out, toy_data, "toy", "--metric", "top-2")
    labels, answers = spoken(opened)
    assert {len(set(answer)) for answer in answers} == {2}
    right = [label in answer for label, answer in zip(labels, answers, strict=True)]
    assert opened.profile.variants[0].quality == pytest.approx(np.mean(right))
    assert np.mean(right) > 0.8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "golf"), "there is no task 'golf'; choose one of classification, detection"),
        (("--metric", "wer"), "task classification has no metric 'wer'; choose one of top-1"),
        (("--metric", "top-0"), "no metric 'top-0'"),
        (("--task", "text"), "model toy_logits has no output of texts (BYTES)"),
        (("--task", "ranking"), "is not labelled with relevant items; choose another --task"),
        (("--task", "detection"), "toy_logits has the outputs scores; a detector has boxes"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(
    triton: EmbeddedTriton,
    toy_data: Path,
    tmp_path: Path,
    cli: Cli,
    arguments: tuple[str, str],
    message: str,
) -> None:
    """Exit code 2 and one clear message, before anything is measured."""
    ended = cli(
        *("run", "--triton", triton.endpoints.grpc, "--dataset", toy_data, "--service", "toy"),
        *("--out", tmp_path / "profile", *QUICK, *arguments),
    )
    assert (ended.code, message in ended.err) == (2, True), ended.err
    assert list(tmp_path.iterdir()) == []
