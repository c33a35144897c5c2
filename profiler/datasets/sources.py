"""Where files of a public data set can be had: each source delivers them or says why not."""

import http.client
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_APT_S = 300.0
_MIRROR_S = 30.0
_MOST_BYTES = 64 * 1024 * 1024


class SourceError(Exception):
    """A source cannot deliver; the text says why, for a list of what was tried."""


class Source(Protocol):
    """Delivers files by name. label: for people."""

    @property
    def label(self) -> str: ...  # noqa: D102

    def fetch(self, names: Sequence[str]) -> dict[str, bytes]:
        """The contents of all the files named, not verified. Raises SourceError."""
        ...


@dataclass(frozen=True)
class Folder:
    """A folder that may be there already. path: it holds the files themselves."""

    path: Path

    @property
    def label(self) -> str:
        """See Source."""
        return f"folder {self.path}"

    def fetch(self, names: Sequence[str]) -> dict[str, bytes]:
        """See Source."""
        try:
            return {name: (self.path / name).read_bytes() for name in names}
        except OSError as error:
            raise SourceError(f"{error.strerror}: {error.filename}") from error


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package, downloaded and unpacked in a temporary folder; needs no root.

    package: its name. folder: where the files lie in it, relative to /.
    """

    package: str
    folder: str

    @property
    def label(self) -> str:
        """See Source."""
        return f"Debian package {self.package} (apt-get download)"

    def fetch(self, names: Sequence[str]) -> dict[str, bytes]:
        """See Source."""
        for tool in ("apt-get", "dpkg-deb"):
            if shutil.which(tool) is None:
                raise SourceError(f"there is no {tool} here")
        with tempfile.TemporaryDirectory(prefix="tailq-apt-") as temporary:
            workdir = Path(temporary)
            # Started by root, apt downloads as the user _apt, who must get in here.
            workdir.chmod(0o755)
            archive = self._download(workdir)
            _run(["dpkg-deb", "-x", str(archive), str(workdir / "root")], workdir)
            return Folder(workdir / "root" / self.folder).fetch(names)

    def _download(self, workdir: Path) -> Path:
        try:
            _run(["apt-get", "-q", "download", self.package], workdir)
        except SourceError:
            # A fresh machine has no package lists and only root may fill apt's own folder.
            own = [*_option("Dir::State::Lists", workdir / "lists")]
            own += [*_option("Dir::Cache", workdir / "cache")]
            for folder in ("lists/partial", "cache/archives/partial"):
                (workdir / folder).mkdir(parents=True)
            _run(["apt-get", "-q", *own, "update"], workdir)
            _run(["apt-get", "-q", *own, "download", self.package], workdir)
        archives = list(workdir.glob("*.deb"))
        if not archives:
            raise SourceError("apt-get said it had downloaded the package, but there is none")
        return archives[0]


@dataclass(frozen=True)
class Mirror:
    """A web folder. url: of the folder, http or https, ending in a slash."""

    url: str

    @property
    def label(self) -> str:
        """See Source."""
        return self.url

    def fetch(self, names: Sequence[str]) -> dict[str, bytes]:
        """See Source."""
        return {name: self._get(name) for name in names}

    def _get(self, name: str) -> bytes:
        try:
            with urllib.request.urlopen(self.url + name, timeout=_MIRROR_S) as answer:  # noqa: S310
                return bytes(answer.read(_MOST_BYTES))
        except (OSError, http.client.HTTPException) as error:
            raise SourceError(str(error)) from error


def _option(name: str, value: object) -> tuple[str, str]:
    return "-o", f"{name}={value}"


def _run(command: Sequence[str], workdir: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            cwd=workdir,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_APT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceError(str(error)) from error
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))]
        reason = errors[0] if errors else f"exit status {done.returncode}"
        raise SourceError(f"{command[0]}: {reason}")
