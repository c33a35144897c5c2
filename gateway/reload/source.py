"""Where this gateway's settings and tiers came from, so that they can be read again."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import tls
from gateway.probes import samples
from gateway.reload import reloader
from gateway.reload.parts import (
    Apply,
    ListenTlsPart,
    ProbesPart,
    Served,
    SettingsPart,
    TiersPart,
    UpstreamTlsPart,
    files,
)
from gateway.settings import Given, Settings, load
from gateway.settings.load import PREFIX
from gateway.upstream import tls as upstream_tls
from tailq.errors import TailqError


@dataclass(frozen=True, slots=True)
class Source:
    """What the operator gave: a settings file, None if there is none, and flags."""

    file: Path | None
    flags: Sequence[Given]

    def settings(self, content: bytes | None = None) -> Settings:
        """The settings, the environment's among them. Raises TailqError."""
        return load(self.file, os.environ, self.flags, content)

    def served(self, settings: Settings) -> Served:
        """What is to be served. Raises TailqError."""
        content = reloader.read(settings.tiers)
        table = reloader.table(content, settings.tiers)
        secure, to_triton = settings.listen.tls, settings.upstream.tls
        try:
            settings.clients.check([tier.name for tier in table.tiers])
            pem = None if secure is None else tls.read(secure)
            upstream_pem = None if to_triton is None else upstream_tls.read(to_triton)
        except TailqError as error:
            raise TailqError(f"{self.file or 'settings'}: {error}") from None
        if settings.probes.file is not None:
            samples.read(settings.probes.file, table)
        return Served(table, content, settings.clients, settings.upstream, pem, upstream_pem)

    def reloader(self, settings: Settings, served: Served, apply: Apply) -> reloader.Reloader:
        """What looks after the files. apply: puts something else into effect."""
        parts: list[tuple[reloader.Part, bytes]] = [
            (TiersPart(settings.tiers, served, apply), served.tiers)
        ]
        if self.file is not None:
            by = self._tritons_by()
            changeable = SettingsPart(self.file, self.settings, settings, by, served, apply)
            parts.append((changeable, reloader.read(self.file)))
        if settings.probes.file is not None:
            probes = ProbesPart(settings.probes.file, served, apply)
            parts.append((probes, reloader.read(probes.path)))
        for name, path in files(settings.upstream.tls):
            to_triton = UpstreamTlsPart(f"upstream_{name}", path, served, apply)
            parts.append((to_triton, reloader.read(path)))
        if (secure := settings.listen.tls) is not None:
            for name, path in files(secure):
                listening = ListenTlsPart(f"listen_{name}", path, secure, served, apply)
                parts.append((listening, reloader.read(path)))
        return reloader.Reloader(parts)

    def _tritons_by(self) -> str | None:
        """The flag or variable that names the Tritons, None: the file does."""
        flags = (given.origin for given in self.flags if given.path == ("upstream", "endpoints"))
        variables = (f"{PREFIX}UPSTREAM__ENDPOINTS", f"{PREFIX}UPSTREAM")
        return next(flags, next((one for one in variables if one in os.environ), None))
