"""Image files as models take them: decoded, fitted to the model's input and scaled."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from profiler.datasets.base import Floats, Indices, Labels, Shape, only, sha256_of
from profiler.errors import DatasetError
from profiler.tensors import Column, Tensor

Layout = Literal["chw", "hwc"]
# How a picture of other proportions gets into the input: scaled to cover it and cut at the
# centre, or, where nothing may be lost, with each side scaled by itself.
Fit = Literal["cover", "stretch"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """From pixels to numbers: (pixel * scale - mean) / std, channel by channel.

    size: width and height, needed where the model takes any. layout: needed where the model's
    shape does not tell it. mean, std: one number for all channels, or one for each.
    """

    size: tuple[int, int] | None = None
    layout: Layout | None = None
    scale: float = 1 / 255
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True, slots=True)
class _Target:
    """The picture a model takes. layout None: [height, width] without channels."""

    width: int
    height: int
    channels: int
    layout: Layout | None


@dataclass(frozen=True)
class ImageDataset:
    """Image files with labels; they are decoded when asked for."""

    name: str
    files: tuple[Path, ...]
    labels: Labels
    sha256: str
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    fit: Fit = "cover"

    def tensors(self, samples: Indices, inputs: Sequence[Tensor]) -> list[Column]:
        """See Dataset."""
        tensor = only(self.name, inputs)
        values = self.inputs(samples, tensor.shape)
        if not tensor.holds(values):
            raise DatasetError(
                f"{self.name}: the model takes whole numbers ({tensor.datatype}), which pixels are "
                "with --scale 1"
            )
        return [list(values)]

    def frame(self, shape: Shape) -> tuple[int, int]:
        """Width and height of the pictures that a model of that input takes. DatasetError."""
        target = _target(self.name, shape, self.preprocessing)
        return target.width, target.height

    def inputs(self, samples: Indices, shape: Shape) -> Floats:
        """Pictures in the shape that a model takes, scaled bicubically: [len(samples), *shape].

        shape: of one sample at the model; -1 is any size. Raises DatasetError if they do not fit.
        """
        target = _target(self.name, shape, self.preprocessing)
        files = [self.files[int(index)] for index in samples]
        pictures = np.stack([_decode(file, target, self.fit) for file in files])
        steps = self.preprocessing
        mean = _per_channel(self.name, "--mean", steps.mean, target.channels)
        std = _per_channel(self.name, "--std", steps.std, target.channels)
        values = (pictures.astype(np.float32) * np.float32(steps.scale) - mean) / std
        if target.layout is None:
            return np.ascontiguousarray(values[..., 0])
        if target.layout == "chw":
            return np.ascontiguousarray(values.transpose(0, 3, 1, 2))
        return values


def from_files(
    name: str,
    files: Sequence[Path],
    labels: Labels,
    preprocessing: Preprocessing,
    fit: Fit = "cover",
) -> ImageDataset:
    """Check image files and make a data set of them. Raises DatasetError naming a bad file."""
    parts = [repr((preprocessing, fit)).encode()]
    for path, label in zip(files, labels.tolist(), strict=True):
        parts += [json.dumps(label).encode(), _content(path)]
    return ImageDataset(name, tuple(files), labels, sha256_of(parts), preprocessing, fit)


def _content(path: Path) -> bytes:
    try:
        with Image.open(path):  # reads the header only
            return path.read_bytes()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise DatasetError(f"{path}: is not an image that can be read") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None


def _decode(path: Path, target: _Target, fit: Fit) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("L" if target.channels == 1 else "RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: cannot be decoded ({error})") from None
    size = target.width, target.height
    if fit == "cover":
        fitted = ImageOps.fit(upright, size, Image.Resampling.BICUBIC)
    else:
        fitted = upright.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(fitted, dtype=np.uint8).reshape(target.height, target.width, target.channels)


def _target(name: str, shape: Shape, wanted: Preprocessing) -> _Target:
    if len(shape) == 2:
        height, width = shape
        return _sized(name, shape, wanted, width, height, 1, None)
    layout = wanted.layout
    if len(shape) == 3 and layout is None:
        layout = "chw" if shape[0] in (1, 3) else "hwc" if shape[2] in (1, 3) else None
    if len(shape) != 3 or layout is None:
        raise DatasetError(
            f"{name}: cannot tell how an image goes into an input of shape {list(shape)}; "
            "say --layout chw or hwc if it is an image at all"
        )
    channels, height, width = shape if layout == "chw" else (shape[2], shape[0], shape[1])
    if channels not in (1, 3):
        raise DatasetError(f"{name}: the model takes {channels} channels; images have 1 or 3")
    return _sized(name, shape, wanted, width, height, channels, layout)


def _sized(
    name: str,
    shape: Shape,
    wanted: Preprocessing,
    width: int,
    height: int,
    channels: int,
    layout: Layout | None,
) -> _Target:
    free = -1 in (width, height)
    if free and wanted.size is None:
        raise DatasetError(
            f"{name}: the model takes images of any size ({list(shape)}); choose one with "
            "--image-size WIDTHxHEIGHT"
        )
    if wanted.size is not None:
        if any(
            own not in (-1, asked) for own, asked in zip((width, height), wanted.size, strict=True)
        ):
            raise DatasetError(
                f"{name}: --image-size {wanted.size[0]}x{wanted.size[1]} does not fit the model's "
                f"input {list(shape)}"
            )
        width, height = wanted.size
    return _Target(width, height, channels, layout)


def _per_channel(name: str, option: str, values: tuple[float, ...], channels: int) -> Floats:
    if len(values) not in (1, channels):
        raise DatasetError(
            f"{name}: {option} has {len(values)} numbers, the model's images {channels} channels"
        )
    return np.array(values, dtype=np.float32)
