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
    CertificatePart,
    ProbesPart,
    Served,
    SettingsPart,
    TiersPart,
    TlsPart,
)
from gateway.settings import Given, Settings, load
from gateway.settings.load import PREFIX
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
        secure = settings.listen.tls
        try:
            settings.clients.check([tier.name for tier in table.tiers])
            pem = None if secure is None else tls.read(secure)
        except TailqError as error:
            raise TailqError(f"{self.file or 'settings'}: {error}") from None
        if settings.probes.file is not None:
            samples.read(settings.probes.file, table)
        return Served(table, content, settings.clients, settings.upstream, pem)

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
        tls = settings.upstream.tls
        if tls is not None and tls.certificate is not None:
            certificate = CertificatePart(tls.certificate, served, apply)
            parts.append((certificate, reloader.read(tls.certificate)))
        if (secure := settings.listen.tls) is not None:
            for name in ("certificate", "key", "client_ca"):
                if (path := getattr(secure, name)) is not None:
                    part = TlsPart(f"listen_{name}", path, secure, served, apply)
                    parts.append((part, reloader.read(path)))
        return reloader.Reloader(parts)

    def _tritons_by(self) -> str | None:
        """The flag or variable that names the Tritons, None: the file does."""
        key = ("upstream", "endpoints")
        variable = PREFIX + "__".join(key).upper()
        flags = (given.origin for given in self.flags if given.path == key)
        return next(flags, variable if variable in os.environ else None)
