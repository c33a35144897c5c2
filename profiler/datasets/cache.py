"""The user's cache folder: where it is, one writer at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from profiler.errors import DatasetError


def cache_folder(name: str) -> Path:
    """The folder tailq/{name} of the user's cache, `$XDG_CACHE_HOME` or ~/.cache; not made yet."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification has relative paths ignored.
    root = given if given.is_absolute() else Path.home() / ".cache"
    return root / "tailq" / name


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, waiting for whoever has it; makes the folder when it is missing.

    The kernel frees the lock of a process that dies. Raises DatasetError if the folder cannot
    be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError as error:
        raise DatasetError(
            f"{folder}: cannot be written ({error.strerror}). Point XDG_CACHE_HOME at a folder "
            "that can."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
