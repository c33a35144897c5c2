"""Fashion-MNIST: its two halves, and how its files are fetched."""

import gzip
import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from profiler.datasets import fashion_mnist
from profiler.datasets.cache import cache_folder
from profiler.datasets.fashion_mnist import IMAGES, LABELS, half_indices, load_test_half
from profiler.datasets.sources import DebianPackage, Folder, Mirror, SourceError
from profiler.errors import DatasetError


class Remote:
    """A source that counts how often it was asked."""

    def __init__(self, files: dict[str, bytes], label: str = "remote") -> None:
        self.files = files
        self.label = label
        self.asked = 0

    def fetch(self, names: Sequence[str]) -> dict[str, bytes]:
        self.asked += 1
        return {name: self.files[name] for name in names}


class Unreachable:
    label = "https://mirror.example/"

    def fetch(self, names: Sequence[str]) -> dict[str, bytes]:
        raise SourceError("no route to host")


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Two files in the format of the genuine ones: picture i shows the number i, class i % 10."""
    numbers = np.arange(10_000)
    pictures = np.zeros((10_000, 28, 28), np.uint8)
    pictures[:, 0, 0], pictures[:, 0, 1] = numbers // 100, numbers % 100
    raw = {
        IMAGES: bytes(16) + pictures.tobytes(),
        LABELS: bytes(8) + (numbers % 10).astype(np.uint8).tobytes(),
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in raw.items()}
    monkeypatch.setattr(fashion_mnist, "DIGESTS", digests)
    return {name: gzip.compress(content, 1) for name, content in raw.items()}


def test_the_halves_share_no_image_and_leave_none_out() -> None:
    """Together the halves are the test set, each image once."""
    both = np.concatenate([half_indices("profile"), half_indices("unseen")])
    assert len(half_indices("profile")) == len(half_indices("unseen")) == 5_000
    np.testing.assert_array_equal(np.sort(both), np.arange(10_000))


def test_the_halves_never_change() -> None:
    """Profiles measured last year and today are about the same images."""
    digest = hashlib.sha256(half_indices("profile").astype("<i8").tobytes()).hexdigest()
    assert digest == "5b28a9339233d2ee681e0789cc04d20915f9a6e522912ab6470444de4e2b399e"


@pytest.mark.parametrize("half", ["profile", "unseen"])
def test_images_and_labels_belong_together(
    half: fashion_mnist.Half, files: dict[str, bytes], tmp_path: Path
) -> None:
    """Each image comes with its own label, in the documented types and shapes."""
    loaded = load_test_half(half, tmp_path, [Remote(files)])
    number = loaded.images[:, 0, 0].astype(np.int64) * 100 + loaded.images[:, 0, 1]
    np.testing.assert_array_equal(number, half_indices(half))
    np.testing.assert_array_equal(loaded.labels, number % 10)
    assert loaded.images.shape == (5_000, 28, 28)
    assert loaded.images.dtype.name == "uint8"
    assert loaded.labels.dtype.name == "int64"


def test_files_are_fetched_once(files: dict[str, bytes], tmp_path: Path) -> None:
    """The second call is served from the cache."""
    remote = Remote(files)
    load_test_half("profile", tmp_path, [remote])
    load_test_half("unseen", tmp_path, [remote])
    assert remote.asked == 1


def test_files_put_in_by_hand_are_used(files: dict[str, bytes], tmp_path: Path) -> None:
    """Who has the files puts them into the cache folder and needs no network."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    load_test_half("profile", tmp_path, [])


@pytest.mark.parametrize("damage", [b"", b"not gzip", gzip.compress(b"another file")])
def test_a_damaged_file_is_fetched_again(
    files: dict[str, bytes], tmp_path: Path, damage: bytes
) -> None:
    """A cached file that is not the genuine one is replaced."""
    load_test_half("profile", tmp_path, [Remote(files)])
    (tmp_path / LABELS).write_bytes(damage)
    load_test_half("profile", tmp_path, [Remote(files)])
    assert (tmp_path / LABELS).read_bytes() == files[LABELS]


def test_a_truncated_file_is_fetched_again(files: dict[str, bytes], tmp_path: Path) -> None:
    """A cached file that ends early is replaced."""
    load_test_half("profile", tmp_path, [Remote(files)])
    (tmp_path / IMAGES).write_bytes(files[IMAGES][:-1000])
    load_test_half("profile", tmp_path, [Remote(files)])
    assert (tmp_path / IMAGES).read_bytes() == files[IMAGES]


def test_a_source_with_wrong_files_is_passed_over(files: dict[str, bytes], tmp_path: Path) -> None:
    """A mirror that delivers something else is not believed; the next source is asked."""
    wrong = Remote({**files, LABELS: gzip.compress(b"<html>moved</html>")})
    right = Remote(files)
    load_test_half("profile", tmp_path, [wrong, right])
    assert right.asked == 1
    assert (tmp_path / LABELS).read_bytes() == files[LABELS]


def test_when_all_sources_fail_the_error_lists_them_and_the_remedy(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    """The error says what was tried, why it failed, and where to put the files by hand."""
    wrong = Remote({**files, LABELS: b"x"}, label="a folder")
    with pytest.raises(DatasetError) as caught:
        load_test_half("profile", tmp_path, [Unreachable(), wrong])
    text = str(caught.value)
    assert "https://mirror.example/: no route to host" in text
    assert f"a folder: {LABELS} is not a whole gzip file" in text
    assert f"put {IMAGES} and {LABELS} into {tmp_path}" in text
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_two_at_once_fetch_once(files: dict[str, bytes], tmp_path: Path) -> None:
    """Of two that find the cache empty at the same time, one fetches and the other waits."""
    remote = Remote(files)
    together = threading.Barrier(2)

    def load() -> int:
        together.wait()
        return len(load_test_half("profile", tmp_path, [remote]).labels)

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(load) for _ in range(2)]
        assert [future.result() for future in futures] == [5_000, 5_000]
    assert remote.asked == 1


def test_a_cache_that_cannot_be_written_is_named(files: dict[str, bytes], tmp_path: Path) -> None:
    """The error names the folder and the variable that moves it."""
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match=r"file/cache: cannot be written .*XDG_CACHE_HOME"):
        load_test_half("profile", tmp_path / "file" / "cache", [Remote(files)])


def test_the_cache_folder_follows_the_xdg_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_CACHE_HOME is used when it is an absolute path; otherwise ~/.cache is."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/data/cache")
    assert cache_folder("x") == Path("/data/cache/tailq/x")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_folder("x") == Path("/home/someone/.cache/tailq/x")


def test_a_folder_delivers_what_it_holds(tmp_path: Path) -> None:
    """Files installed on the machine are read where they lie; a missing one is named."""
    (tmp_path / "a").write_bytes(b"1")
    assert Folder(tmp_path).fetch(["a"]) == {"a": b"1"}
    with pytest.raises(SourceError, match=r"No such file or directory: .*/b"):
        Folder(tmp_path).fetch(["a", "b"])


def test_a_machine_without_apt_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no apt-get the package is no source, and the reason is that."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="there is no apt-get here"):
        DebianPackage("dataset-fashion-mnist", "usr/share").fetch(["a"])


_APT = """#!/bin/sh
case "$*" in
*update*) touch updated ;;
*download*)
    if [ -e updated ]; then touch package.deb; exit; fi
    echo "E: Unable to locate package" >&2
    exit 100
esac
"""
_DPKG = """#!/bin/sh
mkdir -p "$3/usr/share/set" && echo content > "$3/usr/share/set/file"
"""


def test_empty_package_lists_are_filled_without_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a fresh machine the lists are fetched into a folder of our own before the package."""
    for name, script in (("apt-get", _APT), ("dpkg-deb", _DPKG)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert DebianPackage("set", "usr/share/set").fetch(["file"]) == {"file": b"content\n"}


def test_a_package_that_is_not_there_is_said_in_the_words_of_apt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The reason shown is the error line of apt-get."""
    for name, script in (("apt-get", _APT.replace("updated", "never")), ("dpkg-deb", _DPKG)):
        (tmp_path / name).write_text(script.replace("touch never", "true"))
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(SourceError, match="apt-get: E: Unable to locate package"):
        DebianPackage("set", "usr/share/set").fetch(["file"])


def test_a_mirror_delivers_over_http(tmp_path: Path) -> None:
    """A mirror's files are read from its folder; what it lacks is an error with the status."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "a").write_bytes(b"1")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever).start()
        mirror = Mirror(f"http://127.0.0.1:{server.server_port}/")
        try:
            assert mirror.fetch(["a"]) == {"a": b"1"}
            with pytest.raises(SourceError, match="404"):
                mirror.fetch(["b"])
        finally:
            server.shutdown()


def test_the_genuine_files_have_ten_classes() -> None:
    """The real data set, where it is or can be had: 5,000 images, every class well represented."""
    try:
        loaded = load_test_half("unseen")
    except DatasetError as error:
        pytest.skip(str(error))
    counts = np.bincount(loaded.labels)
    assert len(counts) == 10
    assert counts.min() > 400
    assert loaded.images.max() == 255
