"""Finds the parts of the nvidia-pytriton wheel, and says plainly which one is missing."""

import ctypes.util
import importlib.util
import os
import platform
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from deploy.embedded.errors import UnsupportedPlatformError

_MIN_GLIBC = (2, 35)
"""The wheel is tagged manylinux_2_35."""

_OWN_TRITON = "or use a Triton of your own with --triton HOST:PORT"


@dataclass(frozen=True)
class Installation:
    """The files of one usable Triton.

    server: the `tritonserver` executable. python_backend: folder with `libtriton_python.so` and
    `triton_python_backend_utils.py`. stub: the Python backend's stub for the running
    interpreter's minor version. library_path: folders for `LD_LIBRARY_PATH`, the first wins.
    python_bin: folder whose `python3` is the running interpreter; the stub takes its
    site-packages from the first `python3` on `PATH`.
    """

    server: Path
    python_backend: Path
    stub: Path
    library_path: tuple[Path, ...]
    python_bin: Path

    def environment(self) -> dict[str, str]:
        """The caller's environment, made fit to start `server` in."""
        env = dict(os.environ)
        # Both would send the stub's embedded interpreter to another Python's library.
        env.pop("PYTHONHOME", None)
        env.pop("PYTHONPATH", None)
        libraries = [str(path) for path in self.library_path]
        env["LD_LIBRARY_PATH"] = ":".join([*libraries, *_split(env.get("LD_LIBRARY_PATH"))])
        env["PATH"] = ":".join([str(self.python_bin), *_split(env.get("PATH"))])
        return env


def find_installation() -> Installation:
    """Find the wheel's parts for the running interpreter.

    Raises UnsupportedPlatformError, which names what is missing and how to get it.
    """
    _check_platform()
    package, libraries = _wheel_folders()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    triton = package / "tritonserver"
    stubs = triton / "python_backend_stubs"
    stub = stubs / version / "triton_python_backend_stub"
    if not stub.is_file():
        known = ", ".join(sorted(path.name for path in stubs.glob("3.*"))) or "none"
        raise UnsupportedPlatformError(
            f"the wheel nvidia-pytriton has no Python stub for Python {version} "
            f"(it has: {known}). Use one of those Pythons, {_OWN_TRITON}."
        )
    found = Installation(
        server=triton / "bin" / "tritonserver",
        python_backend=triton / "backends" / "python",
        stub=stub,
        library_path=(libraries, *_libpython_folders(version)),
        python_bin=_python_bin(),
    )
    for part in (found.server, found.python_backend, libraries):
        if not part.exists():
            raise UnsupportedPlatformError(
                f"the wheel nvidia-pytriton is incomplete: {part} is missing. "
                f"Reinstall it (pip install --force-reinstall nvidia-pytriton), {_OWN_TRITON}."
            )
    return found


def _check_platform() -> None:
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        raise UnsupportedPlatformError(
            f"the embedded Triton needs Linux on x86-64; this is {system} on {machine}. "
            f"Run it in a Linux container or virtual machine, {_OWN_TRITON}."
        )
    name, text = platform.libc_ver()
    parts = text.split(".")
    if name != "glibc" or tuple(int(part) for part in parts[:2] if part.isdigit()) < _MIN_GLIBC:
        raise UnsupportedPlatformError(
            f"the embedded Triton needs glibc {_MIN_GLIBC[0]}.{_MIN_GLIBC[1]} or newer; this "
            f"machine has {name or 'another libc'} {text}".rstrip()
            + f". Use Debian 12, Ubuntu 22.04 or newer, {_OWN_TRITON}."
        )


def _wheel_folders() -> tuple[Path, Path]:
    # find_spec and not import: importing pytriton configures logging and starts helpers.
    spec = importlib.util.find_spec("pytriton")
    if spec is None or spec.origin is None:
        raise UnsupportedPlatformError(
            "the Python package nvidia-pytriton, which carries the Triton server, is not "
            f"installed. Install it with: pip install 'tailq[embedded]', {_OWN_TRITON}."
        )
    package = Path(spec.origin).resolve().parent
    return package, package.parent / "nvidia_pytriton.libs"


def _libpython_folders(version: str) -> tuple[Path, ...]:
    """Folder of the shared libpython; none when the loader finds it by itself."""
    name = f"libpython{version}.so.1.0"
    library_dir = sysconfig.get_config_var("LIBDIR")
    candidates = [Path(sys.base_prefix) / "lib"]
    if library_dir:
        candidates.insert(0, Path(library_dir))
    for folder in candidates:
        if (folder / name).is_file():
            return (folder,)
    if ctypes.util.find_library(f"python{version}") is not None:
        return ()
    raise UnsupportedPlatformError(
        f"Triton's Python backend needs {name}, and this interpreter ({sys.executable}) has "
        f"none. On Debian and Ubuntu: apt-get install libpython{version}; with pyenv: build "
        f"with PYTHON_CONFIGURE_OPTS=--enable-shared; {_OWN_TRITON}."
    )


def _python_bin() -> Path:
    folder = Path(sys.executable).parent  # not resolved: that would leave the virtual environment
    python3 = folder / "python3"
    if not python3.exists() or python3.resolve() != Path(sys.executable).resolve():
        raise UnsupportedPlatformError(
            f"Triton's Python backend takes the first python3 on PATH, and {python3} is not the "
            f"running interpreter {sys.executable}. Run tailq in a virtual environment made with: "
            f"python -m venv, {_OWN_TRITON}."
        )
    return folder


def _split(path_list: str | None) -> list[str]:
    return [part for part in (path_list or "").split(":") if part]
