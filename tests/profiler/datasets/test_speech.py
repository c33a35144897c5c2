"""Texts and utterances with the text that is right."""

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from profiler.datasets import Dataset, Preprocessing, open_dataset
from profiler.errors import DatasetError
from profiler.tensors import Tensor

WAVE = Tensor("audio", "FP32", (-1,))
COUNT = Tensor("length", "INT32", (1,))
WORD = Tensor("word", "BYTES", (1,))
PCM = np.array([0, 16384, -32768, 32767], dtype="<i2")


def say(path: Path, pcm: bytes, *, rate: int = 16000, channels: int = 1, width: int = 2) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)


def spoken(folder: Path) -> Path:
    """A manifest of two utterances of different length."""
    say(folder / "a.wav", PCM.tobytes())
    say(folder / "b.wav", PCM[:2].tobytes())
    path = folder / "spoken.jsonl"
    rows = [{"audio": "a.wav", "text": "one"}, {"audio": "b.wav", "text": ""}]
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def opened(path: Path) -> Dataset:
    return open_dataset(str(path), None, Preprocessing())


def test_utterances_are_given_as_samples(tmp_path: Path) -> None:
    """In [-1, 1), each of its own length; with that length where the model takes it."""
    data = opened(spoken(tmp_path))
    assert data.labels.tolist() == ["one", ""]
    length, audio = data.tensors(np.array([1, 0]), [COUNT, WAVE])
    assert [value.tolist() for value in length] == [[2], [4]]
    assert audio[0].tolist() == [0.0, 0.5]
    assert audio[1].tolist() == pytest.approx([0.0, 0.5, -1.0, 1.0], abs=1e-4)
    assert audio[1].dtype == np.float32


def test_utterances_may_be_taken_as_they_are(tmp_path: Path) -> None:
    """A model of 16 bit gets 16 bit."""
    (audio,) = opened(spoken(tmp_path)).tensors(np.array([0]), [Tensor("x", "INT16", (-1,))])
    assert audio[0].tolist() == PCM.tolist()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([WORD], r"needs a model with an input \[-1\] of samples"),
        ([WAVE, WAVE], "not audio FP32"),
        ([WAVE, COUNT, COUNT], "at most one more"),
        ([WAVE, Tensor("gain", "FP32", (1,))], "gain FP32"),
        ([Tensor("x", "FP32", (3,))], r"has 4 samples, the model takes \[3\]"),
    ],
)
def test_models_that_take_no_audio_are_refused(
    tmp_path: Path, inputs: list[Tensor], message: str
) -> None:
    """The error says what the model takes."""
    with pytest.raises(DatasetError, match=message):
        opened(spoken(tmp_path)).tensors(np.array([0]), inputs)


def test_texts_are_given_as_bytes(tmp_path: Path) -> None:
    """One UTF-8 element each; a manifest may also be CSV."""
    path = tmp_path / "words.csv"
    path.write_text("input,text\nça va,fine\nmerci,\n")
    data = opened(path)
    assert data.labels.tolist() == ["fine", ""]
    (words,) = data.tensors(np.array([0]), [WORD])
    assert words[0].tolist() == ["ça va".encode()]
    with pytest.raises(DatasetError, match=r"texts need a model with one input, BYTES \[1\]"):
        data.tensors(np.array([0]), [WAVE])


def test_another_transcript_is_another_data_set(tmp_path: Path) -> None:
    """The SHA-256 covers audio and text."""
    path = spoken(tmp_path)
    first = opened(path).sha256
    path.write_text(path.read_text().replace("one", "two"))
    second = opened(path).sha256
    say(tmp_path / "b.wav", PCM[1:3].tobytes())
    assert len({first, second, opened(path).sha256}) == 3


def test_audio_of_other_kinds_is_refused(tmp_path: Path) -> None:
    """Stereo, 8 bit, another rate, no audio and no file, each named."""
    path = spoken(tmp_path)
    bad = tmp_path / "b.wav"
    for message, arguments in (
        ("2 channels of 16 bit; convert it", {"channels": 2}),
        ("1 channels of 8 bit", {"width": 1}),
        ("has 8000 samples a second, .*a.wav 16000", {"rate": 8000}),
    ):
        say(bad, PCM.tobytes(), **arguments)
        with pytest.raises(DatasetError, match=rf"b\.wav: .*{message}"):
            opened(path)
    bad.write_bytes(b"RIFF")
    with pytest.raises(DatasetError, match=r"b\.wav: is not a \.wav file"):
        opened(path)
    bad.unlink()
    with pytest.raises(DatasetError, match=r"b\.wav: cannot be read"):
        opened(path)
