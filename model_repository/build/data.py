"""Fashion-MNIST: reading the four idx files, and the split that every choice is made on."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .errors import BuildError

MEAN, STD = 0.2860, 0.3530  # of the training pixels in [0, 1]; they are built into each graph
CLASSES = 10
SIDE = 28
VALIDATION = 5_000
SPLIT_SEED = 20_240_601
IMAGE_MAGIC, LABEL_MAGIC = 2051, 2049


@dataclass(frozen=True)
class Images:
    """Pixels, float32 [n, 1, 28, 28] in [0, 1], and their classes, int64 [n]."""

    pixels: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)


def _read_idx(path: Path, magic: int, header: int) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    """Return the body of one gzipped idx file, uint8 [n bytes], once its magic number is right."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise BuildError(
            f"{path} is not there. Give the folder with the four *-ubyte.gz files of "
            "Fashion-MNIST as --data DIR (Debian package: dataset-fashion-mnist)."
        ) from None
    except (OSError, EOFError) as error:
        raise BuildError(f"{path} cannot be read as a gzip file: {error}") from None
    if int.from_bytes(raw[:4], "big") != magic:
        raise BuildError(f"{path} is not the idx file expected (magic number {magic}).")
    return np.frombuffer(raw, np.uint8, offset=header)


def _read(folder: Path, stem: str) -> Images:
    pixels = _read_idx(folder / f"{stem}-images-idx3-ubyte.gz", IMAGE_MAGIC, 16)
    classes = _read_idx(folder / f"{stem}-labels-idx1-ubyte.gz", LABEL_MAGIC, 8)
    if len(pixels) != len(classes) * SIDE * SIDE:
        raise BuildError(f"the {stem} images and labels in {folder} do not match in number.")
    scaled = pixels.reshape(-1, 1, SIDE, SIDE).astype(np.float32) / 255.0
    return Images(torch.from_numpy(scaled), torch.from_numpy(classes.astype(np.int64)))


def load_training(folder: Path) -> tuple[Images, Images]:
    """Return (55,000 images to fit, 5,000 held out to choose on): a fixed, seeded partition."""
    everything = _read(folder, "train")
    order = torch.from_numpy(np.random.default_rng(SPLIT_SEED).permutation(len(everything)))
    fit, held_out = order[:-VALIDATION], order[-VALIDATION:]
    return (
        Images(everything.pixels[fit], everything.classes[fit]),
        Images(everything.pixels[held_out], everything.classes[held_out]),
    )


def load_test(folder: Path) -> Images:
    """Return the 10,000 test images. Only the final table may look at them."""
    return _read(folder, "t10k")
