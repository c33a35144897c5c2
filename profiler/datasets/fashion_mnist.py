"""Fashion-MNIST's test images (Xiao, Rasul, Vollgraf 2017), in two halves.

The 10,000 test images are cut once and for all into "profile", which profiles are measured on,
and "unseen", which is kept for checking what the profiles promise. The models of the
repository saw neither: they are fitted and chosen on the 60,000 training images alone.
"""

import gzip
import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from profiler.datasets.cache import cache_folder, one_writer
from profiler.datasets.sources import DebianPackage, Folder, Mirror, Source, SourceError
from profiler.errors import DatasetError
from tailq import artefact

Half = Literal["profile", "unseen"]

SIDE = 28
TEST_SIZE = 10_000
_SALT = "tailq fashion-mnist halves 1"

IMAGES = "t10k-images-idx3-ubyte.gz"
LABELS = "t10k-labels-idx1-ubyte.gz"
# SHA-256 of the idx file inside the .gz: Debian's .gz files have other headers than the
# authors' (no file name in them), while what is compressed is the same to the byte.
DIGESTS = {
    IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
_HEADER_BYTES = {IMAGES: 16, LABELS: 8}

SOURCES: tuple[Source, ...] = (
    Folder(Path("/usr/share/datasets/fashion-mnist")),
    DebianPackage("dataset-fashion-mnist", "usr/share/datasets/fashion-mnist"),
    Mirror("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"),
    Mirror("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
)


@dataclass(frozen=True)
class LabelledImages:
    """images: uint8 [N, 28, 28], 0 is background. labels: int64 [N], classes 0 to 9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


def load_test_half(
    half: Half,
    cache: Path | None = None,
    sources: Sequence[Source] = SOURCES,
) -> LabelledImages:
    """One half of the test images, 5,000 of them, always the same in the same order.

    cache: folder that holds the .gz files, filled when it does not; None for the user's cache
    folder. sources: tried in this order. Raises DatasetError if no source delivers the files,
    ArtefactError if the folder cannot be written.
    """
    folder = cache_folder("fashion-mnist") if cache is None else cache
    content = _cached(folder)
    if content is None:
        with one_writer(folder):
            # Whoever had the lock before may have fetched the files.
            content = _cached(folder) or _fetch(folder, sources)
    body = {
        name: np.frombuffer(content[name], np.uint8, offset=_HEADER_BYTES[name]) for name in content
    }
    chosen = half_indices(half)
    return LabelledImages(
        images=body[IMAGES].reshape(TEST_SIZE, SIDE, SIDE)[chosen],
        labels=body[LABELS][chosen].astype(np.int64),
    )


def half_indices(half: Half) -> NDArray[np.int64]:
    """Positions in the test set, int64 [5000], in the order they are given out.

    The order is that of the SHA-256 of each position under a fixed salt: a permutation that no
    release of a random-number library can change. It is plain, not stratified by class, so
    the halves are exchangeable, which is what a bound carried from one to the other assumes.
    """
    order = sorted(range(TEST_SIZE), key=lambda i: hashlib.sha256(f"{_SALT}/{i}".encode()).digest())
    middle = TEST_SIZE // 2
    return np.array(order[:middle] if half == "profile" else order[middle:], dtype=np.int64)


def _cached(folder: Path) -> dict[str, bytes] | None:
    try:
        return _unpack({name: (folder / name).read_bytes() for name in DIGESTS})
    except (OSError, SourceError):  # missing or damaged: fetch anew
        return None


def _fetch(folder: Path, sources: Sequence[Source]) -> dict[str, bytes]:
    tried = []
    for source in sources:
        try:
            packed = source.fetch(list(DIGESTS))
            content = _unpack(packed)
        except SourceError as error:
            tried.append(f"  {source.label}: {error}")
            continue
        for name in DIGESTS:
            artefact.write_bytes(folder / name, packed[name])
        return content
    raise DatasetError(
        "Fashion-MNIST could not be fetched. Tried:\n"
        + "\n".join(tried)
        + f"\nTo supply it by hand, put {IMAGES} and {LABELS} into {folder}."
    )


def _unpack(packed: Mapping[str, bytes]) -> dict[str, bytes]:
    """The idx files inside the .gz files. Raises SourceError if one is not the genuine one."""
    content = {}
    for name, digest in DIGESTS.items():
        try:
            content[name] = gzip.decompress(packed[name])
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{name} is not a whole gzip file ({error})") from error
        if hashlib.sha256(content[name]).hexdigest() != digest:
            raise SourceError(f"{name} is not the genuine file (its SHA-256 differs)")
    return content
