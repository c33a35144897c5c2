"""What is made of a file that has changed."""

import logging
from pathlib import Path
from typing import Any

import pytest

from gateway.pem import Pem
from gateway.reload.parts import Served
from gateway.reload.reloader import Verdict
from gateway.reload.source import Source
from gateway.settings import Given
from tailq import artefact
from tailq.errors import TailqError
from tests.gateway.running import TABLE
from tests.gateway.upstream.certificates import Authority, Pair

SETTINGS = """
tiers = "{tiers}"
[upstream]
endpoints = {endpoints}
connect_s = {connect_s}
[admission]
waiting = {waiting}
[clients]
anonymous = {{tiers = ["{tier}"]}}
"""


DEFAULTS = {"tier": "gold", "waiting": 10, "endpoints": ["127.0.0.1:1"], "connect_s": 2.0}


def settings(folder: Path, **given: Any) -> Source:
    """A settings file and its tiers."""
    tiers, file = folder / "tiers.json", folder / "gateway.toml"
    artefact.write(tiers, TABLE)
    file.write_text(SETTINGS.format(tiers=tiers, **(DEFAULTS | given)))
    return Source(file, ())


async def taken(source: Source, folder: Path, **given: Any) -> tuple[Verdict, list[Served]]:
    """What comes of another settings file, and what is put into effect."""
    running = source.settings()
    applied: list[Served] = []

    async def apply(served: Served) -> None:
        applied.append(served)

    reloader = source.reloader(running, source.served(running), apply)
    settings(folder, **given)
    verdicts = {verdict.file: verdict for verdict in await reloader.reload()}
    assert verdicts["tiers"].result == "unchanged"
    return verdicts["settings"], applied


async def test_what_needs_a_restart_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Clients are taken; whoever changed another section must not believe that it counts."""
    verdict, applied = await taken(settings(tmp_path), tmp_path, tier="fast", waiting=20)
    assert verdict.result == "ok"
    (served,) = applied
    assert served.clients.without_key is not None
    assert served.clients.without_key.tiers == frozenset({"fast"})
    assert "other settings need a restart: admission.waiting\n" in caplog.text


async def test_tritons_are_taken_and_their_bounds_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The list is in use; how long a connection may take to open is what it was."""
    listed = ["127.0.0.1:1", "127.0.0.1:2"]
    verdict, applied = await taken(settings(tmp_path), tmp_path, endpoints=listed, connect_s=9.0)
    assert verdict.result == "ok"
    (served,) = applied
    assert [one.http for one in served.upstream.endpoints] == listed
    assert served.upstream.connect_s == 2.0
    assert "other settings need a restart: upstream.connect_s\n" in caplog.text


async def test_several_mistakes_are_one_line_of_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who reads it by lines finds the rest of them, too."""
    verdict, _ = await taken(settings(tmp_path), tmp_path, endpoints=["x"], waiting=-1)
    assert len(verdict.why.splitlines()) == 2
    (record,) = caplog.records
    assert all(line in record.getMessage() for line in verdict.why.splitlines())
    assert "\n" not in record.getMessage()


async def test_a_list_that_is_none_is_refused_whole(tmp_path: Path) -> None:
    """With the clients beside it, and with file, key and remedy."""
    listed = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1"]
    verdict, applied = await taken(settings(tmp_path), tmp_path, endpoints=listed, tier="fast")
    assert verdict.result == "refused"
    assert "the same one twice; leave one" in verdict.why
    assert not applied


@pytest.mark.parametrize(
    "by", ["--triton", "TAILQ_GATEWAY__UPSTREAM__ENDPOINTS", "TAILQ_GATEWAY__UPSTREAM"]
)
async def test_tritons_of_a_flag_or_variable_stay(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """They win over the file, also over one that has changed; that is told."""
    caplog.set_level(logging.INFO)
    source = settings(tmp_path)
    if by == "--triton":
        flag = Given(("upstream", "endpoints"), ["127.0.0.1:9"], by)
        source = Source(source.file, (flag,))
    else:
        listed = '["127.0.0.1:9"]'
        whole = by.endswith("UPSTREAM")
        monkeypatch.setenv(by, f'{{"endpoints": {listed}}}' if whole else listed)
    _, applied = await taken(source, tmp_path, endpoints=["127.0.0.1:2"])
    (served,) = applied
    assert [one.http for one in served.upstream.endpoints] == ["127.0.0.1:9"]
    assert f"gateway.toml: the Tritons stay those of {by}\n" in caplog.text


async def test_files_in_another_place_are_in_use_but_not_watched(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Which files are looked at is settled at the start."""
    ca = Authority(tmp_path, "ours").file
    tls = f'2.0\ntls = {{ca = "{ca}"}}'
    _, applied = await taken(
        settings(tmp_path), tmp_path, endpoints=["https://127.0.0.1:1"], connect_s=tls
    )
    (served,) = applied
    assert served.upstream.tls is not None
    assert served.upstream.tls.ca == ca
    assert served.upstream_pem == Pem(ca=ca.read_bytes())
    assert "looked at for changes after a restart" in caplog.text


async def test_files_for_tritons_are_renewed_in_any_order(tmp_path: Path) -> None:
    """Certificate and key are one: taken once both are there. Meanwhile other files are taken."""
    ours = Authority(tmp_path, "ours")
    place = Pair(tmp_path / "own.crt", tmp_path / "own.key")

    def put(pair: Pair, *names: str) -> None:
        for name in names:
            getattr(place, name).write_bytes(getattr(pair, name).read_bytes())

    first, second = ours.sign("gateway", days=1), ours.sign("gateway", days=2)
    put(first, "certificate", "key")
    tls = f'2.0\ntls = {{certificate = "{place.certificate}", key = "{place.key}"}}'
    https = {"endpoints": ["https://127.0.0.1:1"], "connect_s": tls}
    source = settings(tmp_path, **https)
    applied: list[Served] = []

    async def apply(changed: Served) -> None:
        applied.append(changed)

    served = source.served(source.settings())
    reloader = source.reloader(source.settings(), served, apply)

    async def reload() -> dict[str, str]:
        verdicts = await reloader.reload()
        return {one.file: one.result for one in verdicts if one.result != "unchanged"}

    put(second, "certificate")
    settings(tmp_path, tier="fast", **https)
    assert await reload() == {"settings": "ok", "upstream_certificate": "refused"}
    assert "are no pair of a certificate" in reloader.last["upstream_certificate"].why
    assert applied[-1].upstream_pem == Pem(first.certificate.read_bytes(), first.key.read_bytes())
    put(second, "key")
    assert await reload() == {"upstream_certificate": "ok", "upstream_key": "ok"}
    assert applied[-1].upstream_pem == served.upstream_pem
    assert served.upstream_pem == Pem(second.certificate.read_bytes(), second.key.read_bytes())


def test_a_client_with_an_unknown_tier_is_told_with_the_file(tmp_path: Path) -> None:
    """Both files are right, but not together."""
    source = settings(tmp_path, tier="golld")
    with pytest.raises(TailqError, match=r"gateway.toml: clients.anonymous.tiers: .*'golld'"):
        source.served(source.settings())
