"""Texts and utterances with the text that is right for each: manifests with a column `text`."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profiler.datasets.base import Indices, Labels, objects, sha256_of
from profiler.datasets.manifest import Row
from profiler.errors import DatasetError
from profiler.tensors import BYTES, Column, Tensor


@dataclass(frozen=True)
class TextDataset:
    """texts: [N] UTF-8, each given to the model as its one input of one BYTES element."""

    name: str
    texts: tuple[bytes, ...]
    labels: Labels
    sha256: str

    def tensors(self, samples: Indices, inputs: Sequence[Tensor]) -> list[Column]:
        """See Dataset."""
        if [tensor.datatype for tensor in inputs] != [BYTES] or not inputs[0].takes((1,)):
            raise DatasetError(
                f"{self.name}: texts need a model with one input, BYTES [1], not {_named(inputs)}"
            )
        return [[np.array([self.texts[int(index)]], dtype=np.object_) for index in samples]]


@dataclass(frozen=True)
class AudioDataset:
    """Utterances in .wav files (PCM, 16 bit, one channel); they are read when asked for.

    A model takes samples [n] in [-1, 1], or as they are where its input is INT16, and perhaps, as
    an input of one whole number, n.
    """

    name: str
    files: tuple[Path, ...]
    labels: Labels
    sha256: str

    def tensors(self, samples: Indices, inputs: Sequence[Tensor]) -> list[Column]:
        """See Dataset."""
        waves = [tensor for tensor in inputs if not tensor.takes((1,)) or -1 in tensor.shape]
        counts = [tensor for tensor in inputs if tensor not in waves and tensor.integral]
        fits = len(waves) == 1 and len(counts) == len(inputs) - 1 <= 1
        if not fits or not (waves[0].floating or waves[0].datatype == "INT16"):
            raise DatasetError(
                f"{self.name}: audio needs a model with an input [-1] of samples and at most one "
                f"more [1], their number, not {_named(inputs)}"
            )
        pcm = [read_wave(self.files[int(index)])[0] for index in samples]
        heard = [self._fitted(values, waves[0]) for values in pcm]
        length = [np.array([values.size], dtype=np.int64) for values in pcm]
        return [heard if tensor is waves[0] else length for tensor in inputs]

    def _fitted(self, pcm: NDArray[np.int16], tensor: Tensor) -> NDArray[np.generic]:
        if not tensor.takes(pcm.shape):
            raise DatasetError(
                f"{self.name}: an utterance has {pcm.size} samples, the model takes "
                f"{list(tensor.shape)}"
            )
        return pcm.astype(np.float32) / np.float32(32768) if tensor.floating else pcm


def with_texts(path: Path, rows: Sequence[Row], column: str) -> TextDataset | AudioDataset:
    """Take samples from the rows of a manifest.

    column: "audio", .wav files relative to the manifest, or "input", texts. Raises DatasetError
    naming the file that is no such audio or differs from the first in its rate.
    """
    labels = [str(row.values["text"]) for row in rows]
    given = [str(row.values[column]) for row in rows]
    if column == "input":
        texts = [text.encode() for text in given]
        sha256 = sha256_of([*texts, *(label.encode() for label in labels)])
        return TextDataset(str(path), tuple(texts), objects(labels), sha256)
    files = [path.parent / name for name in given]
    parts: list[bytes] = []
    rates = []
    for file, label in zip(files, labels, strict=True):
        pcm, rate = read_wave(file)
        rates.append(rate)
        parts += [str(rate).encode(), pcm.tobytes(), label.encode()]
        if rate != rates[0]:
            raise DatasetError(f"{file}: has {rate} samples a second, {files[0]} {rates[0]}")
    return AudioDataset(str(path), tuple(files), objects(labels), sha256_of(parts))


def read_wave(path: Path) -> tuple[NDArray[np.int16], int]:
    """The samples [n] of a .wav file, and how many there are in a second. Raises DatasetError."""
    try:
        with wave.open(str(path), "rb") as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise DatasetError(
                    f"{path}: has {file.getnchannels()} channels of {8 * file.getsampwidth()} bit; "
                    "convert it to one of 16 bit"
                )
            frames = file.readframes(file.getnframes())
            if len(frames) < 2 * file.getnframes():
                raise DatasetError(f"{path}: is cut short")
            return np.frombuffer(frames, dtype="<i2").astype(np.int16), file.getframerate()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (wave.Error, EOFError):
        raise DatasetError(f"{path}: is not a .wav file of PCM samples") from None


def _named(inputs: Sequence[Tensor]) -> str:
    return ", ".join(f"{each.name} {each.datatype} {list(each.shape)}" for each in inputs)
