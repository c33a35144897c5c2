"""What an instance keeps outside its processes, and how the dead are cleaned up after."""

import os
import re
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_SHM = Path("/dev/shm")  # noqa: S108 - the kernel's fixed place, not a temporary file of ours
_NAME = re.compile(r"tailq_triton_(?P<owner>\d+)_")


@dataclass(frozen=True)
class Leftovers:
    """Of one instance.

    shm_prefix: its shared-memory regions are the files /dev/shm/{shm_prefix}*. workdir: its
    temporary folder.
    """

    shm_prefix: str
    workdir: Path

    @classmethod
    def for_this_process(cls) -> Self:
        """Names no other instance uses, with our process id in them; makes the folder."""
        name = f"tailq_triton_{os.getpid()}_{secrets.token_hex(4)}_"
        workdir = Path(tempfile.gettempdir()).resolve() / name
        workdir.mkdir(mode=0o700)
        return cls(name, workdir)


def remove_leftovers_of_the_dead() -> list[Path]:
    """Remove what is left of instances whose owner is gone.

    Usually a supervisor has done so already; this is for supervisors that were killed, too.
    Returns what was removed.
    """
    removed = []
    for path in (*_SHM.glob("tailq_triton_*"), *Path(tempfile.gettempdir()).glob("tailq_triton_*")):
        match = _NAME.match(path.name)
        if match is None or Path(f"/proc/{match['owner']}").exists():
            continue
        try:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        except (FileNotFoundError, PermissionError):  # gone meanwhile, or another user's
            continue
        removed.append(path)
    return removed
