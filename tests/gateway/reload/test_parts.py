"""What is made of a file that has changed."""

from pathlib import Path

import pytest

from gateway.reload.parts import Served
from gateway.reload.source import Source
from tailq import artefact
from tailq.errors import TailqError
from tests.gateway.running import TABLE

SETTINGS = """
tiers = "{tiers}"
[upstream]
endpoints = ["127.0.0.1:1"]
[admission]
waiting = {waiting}
[clients]
anonymous = {{tiers = ["{tier}"]}}
"""


def settings(folder: Path, tier: str = "gold", waiting: int = 10) -> Source:
    """A settings file and its tiers."""
    tiers, file = folder / "tiers.json", folder / "gateway.toml"
    artefact.write(tiers, TABLE)
    file.write_text(SETTINGS.format(tiers=tiers, tier=tier, waiting=waiting))
    return Source(file, ())


async def test_what_needs_a_restart_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Clients are taken; whoever changed another section must not believe that it counts."""
    source = settings(tmp_path)
    running = source.settings()
    applied: list[Served] = []

    async def apply(served: Served) -> None:
        applied.append(served)

    reloader = source.reloader(running, source.served(running), apply)
    settings(tmp_path, tier="fast", waiting=20)
    verdicts = {verdict.file: verdict.result for verdict in await reloader.reload()}
    assert verdicts == {"tiers": "unchanged", "clients": "ok"}
    (served,) = applied
    assert served.clients.without_key is not None
    assert served.clients.without_key.tiers == frozenset({"fast"})
    assert "other settings need a restart: admission" in caplog.text


def test_a_client_with_an_unknown_tier_is_told_with_the_file(tmp_path: Path) -> None:
    """Both files are right, but not together."""
    source = settings(tmp_path, tier="golld")
    with pytest.raises(TailqError, match=r"gateway.toml: clients.anonymous.tiers: .*'golld'"):
        source.served(source.settings())
