"""Lays out the backend directory that Triton is started with."""

import os
import shutil
from pathlib import Path

from deploy.embedded.installation import Installation

_OWN_BACKENDS = Path(__file__).parent / "backend"


def assemble_backends(target: Path, installation: Installation) -> Path:
    """Fill the empty folder `target` with the Python backend and our Python-based backends.

    Triton refuses a backend library whose real path lies outside the backend directory, so
    symbolic links will not do: hard links, and copies where the file system forbids those.
    Returns `target`, resolved.
    """
    target = target.resolve()
    python = target / "python"
    python.mkdir(parents=True)
    for source in (*installation.python_backend.iterdir(), installation.stub):
        if source.is_file():
            _link_or_copy(source, python / source.name)
    for backend in _OWN_BACKENDS.iterdir():
        if (backend / "model.py").is_file():
            (target / backend.name).mkdir()
            for source in backend.glob("*.py"):
                shutil.copy2(source, target / backend.name / source.name)
    return target


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another device, or a file of another user (fs.protected_hardlinks)
        shutil.copy2(source, target)
