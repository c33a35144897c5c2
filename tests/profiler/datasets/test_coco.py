"""Images with annotated boxes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from profiler.datasets import Preprocessing, open_dataset
from profiler.datasets.images import ImageDataset
from profiler.errors import DatasetError

PLAIN = Preprocessing()


def content(**changes: object) -> dict[str, Any]:
    """Two images, the second one first; a dog in one of them, a crowd of cats in the other."""
    return {
        "images": [
            {"id": 9, "file_name": "b.png", "width": 4, "height": 8},
            {"id": 2, "file_name": "a.png", "width": 8, "height": 4, "licence": 1},
        ],
        "categories": [{"id": 17, "name": "cat"}, {"id": 18, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 9, "category_id": 17, "bbox": [0, 0, 2, 2], "iscrowd": 1},
            {"id": 2, "image_id": 2, "category_id": 18, "bbox": [1, 1, 2.5, 2], "area": 5},
        ],
        **changes,
    }


def saved(folder: Path, written: object) -> Path:
    (folder / "images").mkdir(exist_ok=True)
    for name, size in (("a.png", (8, 4)), ("b.png", (4, 8))):
        picture = Image.new("L", size, 0)
        picture.paste(255, (0, 0, size[0] // 2, size[1]))
        picture.save(folder / "images" / name)
    path = folder / "instances.json"
    path.write_text(json.dumps(written))
    return path


def opened(folder: Path, written: object, classes: Path | None = None) -> ImageDataset:
    data = open_dataset(str(saved(folder, written)), classes, PLAIN, folder / "images")
    assert isinstance(data, ImageDataset)
    return data


def test_annotations_are_gathered_by_image(tmp_path: Path) -> None:
    """Images in the order of their ids, with size, boxes, category ids and crowds."""
    data = opened(tmp_path, content())
    assert data.labels.tolist() == [
        {"size": [8, 4], "boxes": [[1, 1, 2.5, 2]], "classes": [18], "crowd": [False]},
        {"size": [4, 8], "boxes": [[0, 0, 2, 2]], "classes": [17], "crowd": [True]},
    ]
    assert [path.name for path in data.files] == ["a.png", "b.png"]


def test_a_labels_file_numbers_the_categories(tmp_path: Path) -> None:
    """The model's class 0 is the first name."""
    classes = tmp_path / "classes.txt"
    classes.write_text("dog\nbird\ncat\n")
    data = opened(tmp_path, content(), classes)
    assert [label["classes"] for label in data.labels] == [[0], [2]]


def test_nothing_is_cut_off(tmp_path: Path) -> None:
    """Pictures are squeezed into the input, so that every object is still in it."""
    data = opened(tmp_path, content())
    pixels = data.inputs(np.array([0, 1]), (1, 4, 4))
    assert (pixels[:, 0, :, 0] > 0.9).all()
    assert (pixels[:, 0, :, 3] < 0.1).all()
    assert data.frame((1, 4, 6)) == (6, 4)


def test_images_are_beside_the_file_unless_said(tmp_path: Path) -> None:
    """Without a folder of images, file names are relative to the annotations."""
    path = saved(tmp_path, content())
    with pytest.raises(DatasetError, match=r"a\.png: cannot be read"):
        open_dataset(str(path), None, PLAIN)
    named = content()
    for image in named["images"]:
        image["file_name"] = f"images/{image['file_name']}"
    assert len(open_dataset(str(saved(tmp_path, named)), None, PLAIN).labels) == 2


def test_another_annotation_is_another_data_set(tmp_path: Path) -> None:
    """The SHA-256 covers the boxes."""
    other = content()
    other["annotations"][1]["bbox"][0] = 2
    assert opened(tmp_path, content()).sha256 != opened(tmp_path, other).sha256


def crowded() -> dict[str, Any]:
    return content(annotations=content()["annotations"][:1])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ([], "is not a COCO file of boxes"),
        (content(images=[]), "is not a COCO file of boxes: images: "),
        (
            content(annotations=[{"image_id": 2, "category_id": 18, "bbox": [0, 0, -1, 2]}]),
            r"annotations\.0\.bbox\.2: ",
        ),
        (
            content(annotations=[{"image_id": 3, "category_id": 18, "bbox": [0, 0, 1, 2]}]),
            r"annotations\[0\] names an image or category not there",
        ),
        (content(images=content()["images"][:1] * 2), "two images have one id"),
        (crowded(), "nothing but crowds"),
    ],
)
def test_bad_annotations_are_refused(tmp_path: Path, written: object, message: str) -> None:
    """The error names the file and the place in it."""
    with pytest.raises(DatasetError, match=rf"instances\.json: .*{message}"):
        opened(tmp_path, written)


def test_a_category_not_in_the_labels_file_is_refused(tmp_path: Path) -> None:
    """It could never be found."""
    classes = tmp_path / "classes.txt"
    classes.write_text("dog\n")
    with pytest.raises(DatasetError, match="category 'cat' is not in the labels file"):
        opened(tmp_path, content(), classes)


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """The error names the file."""
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DatasetError, match=r"a\.json: is not JSON"):
        open_dataset(str(tmp_path / "a.json"), None, PLAIN)
