"""What tasks read from outputs, and what they refuse."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from profiler.datasets.base import ArrayDataset, objects
from profiler.datasets.images import ImageDataset
from profiler.errors import DatasetError, ModelError
from profiler.tasks import open_task
from profiler.tasks.base import parse
from profiler.tensors import Column, Model, Tensor

Values = NDArray[np.generic]


def model(*outputs: tuple[str, str], shape: tuple[int, ...] = (3, 10, 20)) -> Model:
    """A model with these outputs: name and datatype of each."""
    return Model(
        "m",
        (Tensor("x", "FP32", shape),),
        tuple(Tensor(name, datatype, (-1,)) for name, datatype in outputs),
    )


def labelled(labels: Sequence[object]) -> ArrayDataset:
    kept = np.array(labels) if isinstance(labels[0], int) else objects(labels)
    return ArrayDataset("toy", np.zeros((len(labels), 1), np.float32), kept, "")


PICTURE = {"size": [40, 20], "boxes": [], "classes": [], "crowd": []}
PICTURES = ImageDataset("toy", (), objects([PICTURE]), "", fit="stretch")
BOXES = (("boxes", "FP32"), ("scores", "FP32"), ("classes", "INT64"))


def text(value: bytes) -> Values:
    return np.array([value], dtype=np.object_)


def read_boxes(boxes: Values, scores: Values, classes: Values) -> tuple[object, float]:
    task = open_task("detection")
    reader = task.reader(model(*BOXES), PICTURES, [])
    said = reader.read([[boxes], [scores], [classes]], np.array([0]))
    return parse(said.answer)[0], float(said.confidence[0])


def test_boxes_are_in_pixels_of_the_image() -> None:
    """Corners in the model's input of 20x10 become corner and sides in the image of 40x20."""
    answer, confidence = read_boxes(
        np.array([[1, 2, 5, 4], [0, 0, 9, 9], [3, 3, 2, 2]], np.float32),
        np.array([0.25, 0.0, 0.5], np.float32),
        np.array([7, 1, 8]),
    )
    assert answer == {
        "boxes": [[2.0, 4.0, 8.0, 4.0], [6.0, 6.0, 0.0, 0.0]],
        "scores": [0.25, 0.5],
        "classes": [7, 8],
    }
    assert confidence == 0.5


def test_no_boxes_are_an_answer() -> None:
    """Nothing is seen, with no confidence."""
    answer, confidence = read_boxes(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))
    assert answer == {"boxes": [], "scores": [], "classes": []}
    assert confidence == 0


@pytest.mark.parametrize(
    ("boxes", "scores", "message"),
    [
        (np.zeros((2, 4)), np.zeros(3), "with 2 boxes, 3 scores and 2 classes"),
        (np.full((2, 4), np.nan), np.ones(2), "NaN or infinite"),
        (np.zeros((2, 4)), np.array([1, np.inf]), "NaN or infinite"),
    ],
)
def test_boxes_that_are_none_are_refused(boxes: Values, scores: Values, message: str) -> None:
    """The error says what does not fit."""
    with pytest.raises(ModelError, match=message):
        read_boxes(boxes, scores, np.zeros(2, int))


def test_outputs_of_a_detector_go_by_name_or_order() -> None:
    """Names first; without them, boxes, scores and classes in that order."""
    task = open_task("detection")
    named = model(("classes", "INT64"), ("boxes", "FP32"), ("more", "FP32"), ("scores", "FP32"))
    assert [t.name for t in task.outputs(named)] == ["boxes", "scores", "classes"]
    other = model(("a", "FP32"), ("b", "FP32"), ("c", "INT64"), ("d", "FP32"))
    assert [t.name for t in task.outputs(other)] == ["a", "b", "c"]


def test_what_are_no_numbers_is_no_part_of_a_box() -> None:
    """Texts are passed over; a detector needs three outputs of numbers."""
    task = open_task("detection")
    other = model(("names", "BYTES"), ("a", "FP32"), ("b", "FP32"), ("c", "INT64"))
    assert [t.name for t in task.outputs(other)] == ["a", "b", "c"]
    with pytest.raises(ModelError, match=r"outputs names, a, b; .* all of them numbers"):
        task.outputs(model(("names", "BYTES"), ("a", "FP32"), ("b", "FP32")))


def read_text(*outputs: Column) -> tuple[list[object], list[float]]:
    task = open_task("text")
    said = task.reader(model(("t", "BYTES")), labelled(["a"]), []).read(
        outputs, np.arange(len(outputs[0]))
    )
    return parse(said.answer), said.confidence.tolist()


def test_texts_are_read_with_their_confidence() -> None:
    """UTF-8; without a confidence of the model's own it is 1."""
    column = [text("π".encode()), text(b"")]
    assert read_text(column) == (["π", ""], [1.0, 1.0])
    assert read_text(column, [np.array([0.5]), np.array([[1.0]])])[1] == [0.5, 1.0]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (([text(b"\xff")],), "not UTF-8"),
        (([np.array([b"a", b"b"], dtype=np.object_)],), "several texts, or none"),
        (([text(b"a")], [np.array([1.5])]), "not between 0 and 1"),
        (([text(b"a")], [np.array([np.nan])]), "not between 0 and 1"),
        (([text(b"a")], [np.array([0.1, 0.2])]), "not one number"),
    ],
)
def test_texts_that_are_none_are_refused(outputs: tuple[Column, ...], message: str) -> None:
    """The error names the model and what is wrong."""
    with pytest.raises(ModelError, match=rf"model m.*{message}"):
        read_text(*outputs)


def test_the_confidence_is_found_by_its_name() -> None:
    """Whatever the order of the outputs; other numbers are not taken for it."""
    task = open_task("text")
    asked = model(("n", "FP32"), ("confidence", "FP32"), ("t", "BYTES"))
    assert [t.name for t in task.outputs(asked)] == ["t", "confidence"]
    ranking = open_task("ranking")
    assert [t.name for t in ranking.outputs(asked)] == ["n", "confidence"]


def read_ranking(values: Values, metric: str = "recall@2") -> object:
    task = open_task("ranking", metric)
    asked = model(("r", "INT64" if values.dtype.kind == "i" else "FP32"))
    return parse(task.reader(asked, labelled([[1]]), []).read([[values]], np.array([0])).answer)[0]


def test_items_are_ranked_by_score_or_as_told() -> None:
    """Of equal scores, the lower item is first; the metric says how many are kept."""
    assert read_ranking(np.array([0.5, 0.9, 0.5, 0.1])) == [1, 0]
    assert read_ranking(np.array([[8, 3, 5]])) == [8, 3]
    assert read_ranking(np.array([0.5, 0.9, 0.5, 0.1]), "ndcg@3") == [1, 0, 2]


@pytest.mark.parametrize(
    ("values", "message"), [([0.1, np.nan], "NaN or infinite"), ([4, 4], "ranks an item twice")]
)
def test_rankings_that_are_none_are_refused(values: list[float], message: str) -> None:
    """Scores are numbers, and an item has one place."""
    with pytest.raises(ModelError, match=message):
        read_ranking(np.array(values))


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([np.zeros((1, 1))], r"shape \[1, 1\]; expected at least two classes"),
        ([np.zeros(3), np.zeros(4)], "the same for every sample"),
    ],
)
def test_vectors_that_are_no_classes_are_refused(outputs: Column, message: str) -> None:
    """A classifier gives one vector a sample, all of one length."""
    task = open_task("classification")
    with pytest.raises(ModelError, match=message):
        task.reader(model(("y", "FP32")), labelled([0, 1]), [outputs])


def test_a_classifier_answers_in_real_numbers() -> None:
    """The error names the output and its type."""
    with pytest.raises(ModelError, match="output y of model m is INT64; a classifier's output"):
        open_task("classification").outputs(model(("y", "INT64")))


@pytest.mark.parametrize(
    ("task", "labels", "message"),
    [
        ("classification", ["a"], "not labelled with classes"),
        ("detection", [1], "not images with annotated boxes"),
        ("text", [1], "not labelled with texts"),
        ("text", ["?!", ""], "not one word in all its texts"),
        ("ranking", ["a"], "not labelled with relevant items"),
    ],
)
def test_labels_of_another_task_are_refused(task: str, labels: list[object], message: str) -> None:
    """The error names the data set."""
    with pytest.raises(DatasetError, match=f"toy: .*{message}"):
        open_task(task).labels(labelled(labels))
