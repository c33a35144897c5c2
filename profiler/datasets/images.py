"""Image files as models take them: decoded, fitted to the model's input and scaled."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from profiler.datasets.base import Floats, Indices, Labels, Shape, sha256_of
from profiler.errors import DatasetError

Layout = Literal["chw", "hwc"]


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

    def inputs(self, samples: Indices, shape: Shape) -> Floats:
        """See Dataset. Pictures are scaled to cover the input, bicubic, and cut at the centre."""
        target = _target(self.name, shape, self.preprocessing)
        pictures = np.stack([_decode(self.files[int(index)], target) for index in samples])
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
    name: str, files: list[Path], labels: list[int], preprocessing: Preprocessing
) -> ImageDataset:
    """Check image files and make a data set of them. Raises DatasetError naming a bad file."""
    parts = [repr(preprocessing).encode()]
    for path, label in zip(files, labels, strict=True):
        parts += [str(label).encode(), _content(path)]
    return ImageDataset(
        name, tuple(files), np.array(labels, dtype=np.int64), sha256_of(parts), preprocessing
    )


def _content(path: Path) -> bytes:
    try:
        with Image.open(path):  # reads the header only
            return path.read_bytes()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise DatasetError(f"{path}: is not an image that can be read") from None
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None


def _decode(path: Path, target: _Target) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("L" if target.channels == 1 else "RGB")
    except (OSError, Image.DecompressionBombError) as error:
        raise DatasetError(f"{path}: cannot be decoded ({error})") from None
    fitted = ImageOps.fit(upright, (target.width, target.height), Image.Resampling.BICUBIC)
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
