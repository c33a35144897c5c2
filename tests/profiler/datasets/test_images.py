"""Image files as models take them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from profiler.datasets.images import ImageDataset, Preprocessing, from_files
from profiler.errors import DatasetError
from profiler.tensors import Tensor

COLOUR = (10, 20, 30)


def picture(folder: Path, size: tuple[int, int] = (8, 4)) -> Path:
    """An image of one colour. size: width, height."""
    path = folder / "image.png"
    Image.new("RGB", size, COLOUR).save(path)
    return path


def data(folder: Path, preprocessing: Preprocessing | None = None) -> ImageDataset:
    return from_files("toy", [picture(folder)], np.array([0]), preprocessing or Preprocessing())


FIRST = np.array([0])


def test_channels_go_where_the_model_has_them(tmp_path: Path) -> None:
    """Channels first, last, none: told by the model's shape; grey where it has one channel."""
    images = data(tmp_path)
    first = images.inputs(FIRST, (3, 2, 4))
    last = images.inputs(FIRST, (2, 4, 3))
    assert first.dtype == np.float32
    assert first[0, :, 0, 0] * 255 == pytest.approx(COLOUR)
    assert last[0, 0, 0] * 255 == pytest.approx(COLOUR)
    grey = round(0.299 * 10 + 0.587 * 20 + 0.114 * 30)
    assert images.inputs(FIRST, (1, 2, 4)) * 255 == pytest.approx(np.full((1, 1, 2, 4), grey))
    assert images.inputs(FIRST, (2, 4)).shape == (1, 2, 4)


def test_pictures_are_cut_at_the_centre(tmp_path: Path) -> None:
    """A wide picture loses its left and its right, and is not squeezed."""
    path = tmp_path / "image.png"
    wide = Image.new("L", (12, 4), 0)
    wide.paste(255, (4, 0, 8, 4))
    wide.save(path)
    images = from_files("toy", [path], np.array([0]), Preprocessing())
    assert images.inputs(FIRST, (1, 4, 4)).min() == 1.0


def test_pixels_are_scaled_then_normalised(tmp_path: Path) -> None:
    """(pixel * scale - mean) / std, channel by channel."""
    steps = Preprocessing(scale=1.0, mean=(10.0, 10.0, 10.0), std=(1.0, 2.0, 4.0))
    assert data(tmp_path, steps).inputs(FIRST, (3, 2, 2))[0, :, 0, 0].tolist() == [0, 5, 5]


def test_a_model_of_whole_numbers_takes_pixels_as_they_are(tmp_path: Path) -> None:
    """Scaled to [0, 1] all but nothing would be left of them; the error names the option."""
    tensor = Tensor("x", "UINT8", (3, 2, 2))
    [values] = data(tmp_path, Preprocessing(scale=1.0)).tensors(FIRST, [tensor])
    assert values[0][:, 0, 0].tolist() == list(COLOUR)
    with pytest.raises(DatasetError, match=r"whole numbers \(UINT8\), .* --scale 1"):
        data(tmp_path).tensors(FIRST, [tensor])


def test_a_model_of_any_size_needs_a_size(tmp_path: Path) -> None:
    """--image-size settles free dimensions, and must agree with fixed ones."""
    sized = data(tmp_path, Preprocessing(size=(6, 3)))
    assert sized.inputs(FIRST, (3, -1, -1)).shape == (1, 3, 3, 6)
    with pytest.raises(DatasetError, match="--image-size WIDTHxHEIGHT"):
        data(tmp_path).inputs(FIRST, (3, -1, -1))
    with pytest.raises(DatasetError, match=r"--image-size 6x3 does not fit .*\[3, 5, 6\]"):
        sized.inputs(FIRST, (3, 5, 6))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((10,), "cannot tell how an image goes into an input of shape"),
        ((5, 6, 7), "--layout chw or hwc"),
    ],
)
def test_inputs_that_are_no_pictures_are_refused(
    tmp_path: Path, shape: tuple[int, ...], message: str
) -> None:
    """The error says what is missing."""
    with pytest.raises(DatasetError, match=message):
        data(tmp_path).inputs(FIRST, shape)


def test_means_must_match_the_channels(tmp_path: Path) -> None:
    """Three means for one channel are a mistake."""
    steps = Preprocessing(mean=(0.1, 0.2, 0.3))
    with pytest.raises(DatasetError, match="--mean has 3 numbers, the model's images 1 channels"):
        data(tmp_path, steps).inputs(FIRST, (1, 4, 4))


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    """A text file called .png is named before anything is measured."""
    path = tmp_path / "image.png"
    path.write_text("not an image")
    with pytest.raises(DatasetError, match=r"image\.png: is not an image"):
        from_files("toy", [path], np.array([0]), Preprocessing())


def test_a_truncated_image_is_refused(tmp_path: Path) -> None:
    """A picture that ends half way is named when it is decoded."""
    path = tmp_path / "image.png"
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    images = from_files("toy", [path], np.array([0]), Preprocessing())
    with pytest.raises(DatasetError, match=r"image\.png: cannot be decoded"):
        images.inputs(FIRST, (3, 4, 4))


def test_preprocessing_is_part_of_the_hash(tmp_path: Path) -> None:
    """The same files prepared otherwise are other data."""
    assert data(tmp_path).sha256 != data(tmp_path, Preprocessing(scale=1.0)).sha256
    assert data(tmp_path).sha256 == data(tmp_path).sha256
