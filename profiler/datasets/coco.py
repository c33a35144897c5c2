"""Images with annotated boxes: a COCO file (https://cocodataset.org/#format-data)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from profiler.datasets.base import objects
from profiler.datasets.images import ImageDataset, Preprocessing, from_files
from profiler.datasets.manifest import read_text
from profiler.errors import DatasetError
from tailq.artefact import explain

_Side = Annotated[float, Field(ge=0, allow_inf_nan=False)]
_Place = Annotated[float, Field(allow_inf_nan=False)]


class _Image(BaseModel):
    id: int
    file_name: str
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]


class _Category(BaseModel):
    id: Annotated[int, Field(ge=0)]
    name: str


class _Annotation(BaseModel):
    image_id: int
    category_id: int
    bbox: tuple[_Place, _Place, _Side, _Side]
    iscrowd: bool = False


class _Coco(BaseModel):
    images: Annotated[list[_Image], Field(min_length=1)]
    categories: list[_Category]
    annotations: Annotated[list[_Annotation], Field(min_length=1)]


def read(
    path: Path, images: Path | None, classes: list[str] | None, preprocessing: Preprocessing
) -> ImageDataset:
    """Read annotations (.json) and check their images; samples are in the order of image ids.

    images: folder of the files; None: that of `path`. classes: names of the categories in the
    order of the model's class numbers; None: a class number is a category's id. Raises
    DatasetError.
    """
    coco = _read(path)
    number = _numbers(path, coco.categories, classes)
    ordered = sorted(coco.images, key=lambda image: image.id)
    labels: dict[int, dict[str, list[Any]]] = {
        image.id: {"size": [image.width, image.height], "boxes": [], "classes": [], "crowd": []}
        for image in ordered
    }
    if len(labels) < len(ordered):
        raise DatasetError(f"{path}: two images have one id")
    for place, annotation in enumerate(coco.annotations):
        if annotation.image_id not in labels or annotation.category_id not in number:
            raise DatasetError(f"{path}: annotations[{place}] names an image or category not there")
        label = labels[annotation.image_id]
        label["boxes"].append(list(annotation.bbox))
        label["classes"].append(number[annotation.category_id])
        label["crowd"].append(annotation.iscrowd)
    if all(annotation.iscrowd for annotation in coco.annotations):
        raise DatasetError(f"{path}: annotates nothing but crowds; there is nothing to find")
    folder = path.parent if images is None else images
    files = [folder / image.file_name for image in ordered]
    return from_files(
        str(path), files, objects(list(labels.values())), preprocessing, fit="stretch"
    )


def _read(path: Path) -> _Coco:
    try:
        return _Coco.model_validate(json.loads(read_text(path)))
    except ValidationError as error:
        raise DatasetError(f"{path}: is not a COCO file of boxes: {explain(error)}") from None
    except ValueError:
        raise DatasetError(f"{path}: is not JSON") from None


def _numbers(
    path: Path, categories: Sequence[_Category], classes: list[str] | None
) -> dict[int, int]:
    """The model's number of each category id."""
    if classes is None:
        return {category.id: category.id for category in categories}
    unknown = [category.name for category in categories if category.name not in classes]
    if unknown:
        raise DatasetError(f"{path}: category {unknown[0]!r} is not in the labels file")
    return {category.id: classes.index(category.name) for category in categories}
