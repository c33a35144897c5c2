"""Writing a profile directory: all of it or nothing."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from profiler.record.observations import Answers, Observations, digest, encode
from tailq import artefact
from tailq import profile as profiles
from tailq.errors import ArtefactError
from tailq.profile import Profile

# Makes the summary, given the profile's id and the SHA-256 of its files by name.
Describe = Callable[[str, dict[str, str]], Profile]
# Makes what else lies in the folder, by file name: it can be made again of what was measured.
Beside = Callable[[Profile], Mapping[str, bytes]]


def check_free(out: Path, *, force: bool) -> None:
    """Raise ArtefactError unless a profile may be written to `out`. force: over another one."""
    if out.name in ("", ".."):
        raise ArtefactError(f"{out}: --out must be a folder with a name of its own")
    if not out.exists():
        return
    if not out.is_dir() or not ((out / profiles.FILE).exists() or not any(out.iterdir())):
        raise ArtefactError(f"{out}: exists and is not a profile; choose another --out")
    if not force:
        raise ArtefactError(
            f"{out}: a profile is there already; give --force to replace it, or another --out"
        )


def store(
    out: Path,
    answers: Answers,
    observations: Observations,
    describe: Describe,
    *,
    force: bool,
    beside: Beside = lambda _profile: {},
) -> Profile:
    """Write a profile to the folder `out`: to a neighbour, synced, then renamed.

    `Profile.files` has what was measured, not what lies beside it. Raises ArtefactError if the
    disk does not allow it; `out` is then as it was.
    """
    contents = {
        profiles.ANSWERS: encode(answers),
        profiles.OBSERVATIONS: encode(observations),
    }
    files = {name: digest(content) for name, content in contents.items()}
    profile = describe(digest("".join(files.values()).encode())[:16], files)
    neighbour = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        neighbour.mkdir()
        for name, content in {**contents, **beside(profile)}.items():
            artefact.write_bytes(neighbour / name, content)
        artefact.write(neighbour / profiles.FILE, profile)
        check_free(out, force=force)
        _put_in_place(neighbour, out)
    except OSError as error:
        raise ArtefactError(f"{out}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(neighbour, ignore_errors=True)
    return profile


def _put_in_place(neighbour: Path, out: Path) -> None:
    """Rename a folder over another: the old one is moved aside first, folders allow no less."""
    aside = out.with_name(f".{out.name}.old.{os.getpid()}")
    if out.exists():
        out.rename(aside)
    neighbour.rename(out)
    artefact.sync_folder(out.parent)
    shutil.rmtree(aside, ignore_errors=True)
