"""What is made of the files for TLS of the data listeners."""

import ssl
from dataclasses import astuple
from pathlib import Path

import pytest

from gateway import tls
from gateway.check import cautions, report
from gateway.pem import Pem
from gateway.reload.parts import Served
from gateway.reload.source import Source
from gateway.settings.model import ListenTlsSettings
from tailq import artefact
from tailq.errors import TailqError
from tests.gateway.running import TABLE
from tests.gateway.upstream.certificates import Authority, Pair


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ours"), "ours")


def settings(pair: Pair, client_ca: Path | None = None) -> ListenTlsSettings:
    return ListenTlsSettings(certificate=pair.certificate, key=pair.key, client_ca=client_ca)


def test_certificate_and_key_may_be_one_file(ours: Authority, tmp_path: Path) -> None:
    """As many tools write them, with comments in any language."""
    pair = ours.sign("127.0.0.1")
    both = tmp_path / "both.pem"
    both.write_bytes("# für uns\n".encode() + pair.certificate.read_bytes() + pair.key.read_bytes())
    one = ListenTlsSettings(certificate=both, client_ca=both)
    assert tls.flaw(tls.read(one), one) is None


def test_it_speaks_no_old_tls(ours: Authority) -> None:
    """And asks clients for a certificate only if it was told whose."""
    for authority, mode in ((None, ssl.CERT_NONE), (ours.file, ssl.CERT_REQUIRED)):
        chosen = settings(ours.sign("127.0.0.1"), authority)
        made = tls.context(tls.read(chosen), chosen)
        assert made.minimum_version == ssl.TLSVersion.TLSv1_2
        assert made.verify_mode == mode


def test_what_is_no_pair_is_told(ours: Authority, tmp_path: Path) -> None:
    """Missing, mixed up, encrypted, or something else: field, file and remedy, in one line."""
    good, other = ours.sign("127.0.0.1"), ours.sign("127.0.0.2")
    hidden = ours.sign("127.0.0.3", password=b"secret")
    junk, gone = tmp_path / "junk.pem", tmp_path / "gone.pem"
    junk.write_bytes(b"\xff half a file")
    for certificate, key, client_ca, says in (
        (gone, good.key, None, f"certificate: {gone}: cannot be read (No such file or directory)"),
        (good.certificate, tmp_path, None, f"key: {tmp_path}: cannot be read (Is a directory)"),
        (good.certificate, other.key, None, f"key: {other.key} is not the key of the certificate"),
        (hidden.certificate, hidden.key, None, "no pair of a certificate and its key in PEM form"),
        (junk, good.key, None, f"certificate: {junk} and key {good.key} are no pair"),
        (good.certificate, None, None, f"certificate: {good.certificate} and key"),
        (good.certificate, good.key, junk, f"client_ca: {junk} holds no certificate in PEM form"),
        (good.certificate, good.key, good.key, f"client_ca: {good.key} holds no certificate"),
    ):
        with pytest.raises(TailqError) as caught:
            tls.read(ListenTlsSettings(certificate=certificate, key=key, client_ca=client_ca))
        (line,) = str(caught.value).splitlines()
        assert line.startswith("listen.tls.")
        assert says in line


@pytest.mark.parametrize("client_ca", [False, True])
def test_a_certificate_that_clients_will_refuse_is_told(ours: Authority, client_ca: bool) -> None:
    """It has expired. A good one is not spoken of, whether clients must show one or not."""
    for days, says in ((1, None), (-1, "certificate has expired")):
        chosen = settings(ours.sign("127.0.0.1", days=days), ours.file if client_ca else None)
        said = tls.flaw(tls.read(chosen), chosen)
        if says is None:
            assert said is None
        else:
            assert said is not None
            assert says in said
            assert str(chosen.certificate) in said


async def test_an_expired_certificate_replaces_none(ours: Authority, tmp_path: Path) -> None:
    """A good one is taken once its key is there, too: the files are read together."""
    place = Pair(tmp_path / "tls.crt", tmp_path / "tls.key")
    tiers, file = tmp_path / "tiers.json", tmp_path / "gateway.toml"
    artefact.write(tiers, TABLE)
    file.write_text(
        f'tiers = "{tiers}"\n[upstream]\nendpoints = ["a:1"]\n'
        f'[listen.tls]\ncertificate = "{place.certificate}"\nkey = "{place.key}"\n'
    )

    def put(pair: Pair, *names: str) -> None:
        for name in names:
            getattr(place, name).write_bytes(getattr(pair, name).read_bytes())

    first, expired, second = (ours.sign("127.0.0.1", days=days) for days in (1, -1, 2))
    put(first, "certificate", "key")
    source = Source(file, ())
    served = source.served(source.settings())
    applied: list[Served] = []

    async def apply(changed: Served) -> None:
        applied.append(changed)

    reloader = source.reloader(source.settings(), served, apply)

    async def reload() -> set[str]:
        verdicts = await reloader.reload()
        return {one.result for one in verdicts if one.file.startswith("listen_")}

    put(expired, "certificate", "key")
    assert await reload() == {"refused"}
    assert "certificate has expired" in reloader.last["listen_certificate"].why
    put(second, "certificate")
    assert await reload() == {"refused"}
    assert "is not the key of the certificate" in reloader.last["listen_certificate"].why
    assert served.pem == Pem(first.certificate.read_bytes(), first.key.read_bytes())
    assert applied == []
    put(second, "key")
    assert await reload() == {"ok"}
    assert served.pem == Pem(second.certificate.read_bytes(), second.key.read_bytes())
    assert {one.pem for one in applied} == {served.pem}


@pytest.mark.parametrize(
    ("host", "named", "days", "says"),
    [
        ("127.0.0.1", True, None, []),
        ("localhost", True, None, []),
        ("::1", True, None, []),
        ("0.0.0.0", False, None, []),
        ("0.0.0.0", True, 1, []),
        ("0.0.0.0", True, None, ["clients' keys cross the network in the clear: [listen] host is"]),
        ("::", True, None, ["clients' keys cross the network in the clear: [listen] host is :: "]),
        ("127.0.0.1", False, -1, ["listen.tls.certificate: "]),
    ],
)
def test_what_is_hardly_meant_is_warned_of(
    ours: Authority, tmp_path: Path, host: str, named: bool, days: int | None, says: list[str]
) -> None:
    """Keys in the clear for others to read, and a certificate that has expired; in --check, too."""
    tiers, file = tmp_path / "tiers.json", tmp_path / "gateway.toml"
    artefact.write(tiers, TABLE)
    lines = [f'tiers = "{tiers}"', '[upstream]\nendpoints = ["a:1"]', f'[listen]\nhost = "{host}"']
    if days is not None:
        certificate, key = map(str, astuple(ours.sign("127.0.0.1", days=days)))
        lines.append(f'tls = {{certificate = "{certificate}", key = "{key}"}}')
    if named:
        lines.append(f'[clients.named.shop]\nkeys = ["{"0" * 64}"]')
    file.write_text("\n".join(lines))
    source = Source(file, ())
    chosen = source.settings()
    served = source.served(chosen)
    told = list(cautions(chosen, served))
    assert len(told) == len(says)
    assert all(line.startswith(start) for line, start in zip(told, says, strict=True))
    checked = [line for line in report(chosen, served) if line.startswith("warning")]
    assert checked == [f"warning   {line}" for line in told]


def test_a_mistake_is_told_with_the_settings_file(ours: Authority, tmp_path: Path) -> None:
    """Before anything listens."""
    tiers, file = tmp_path / "tiers.json", tmp_path / "gateway.toml"
    artefact.write(tiers, TABLE)
    file.write_text(
        f'tiers = "{tiers}"\n[upstream]\nendpoints = ["a:1"]\n'
        f'[listen.tls]\ncertificate = "{ours.file}"\nkey = "gone.key"\n'
    )
    source = Source(file, ())
    with pytest.raises(TailqError) as caught:
        source.served(source.settings())
    assert str(caught.value) == (
        f"{file}: listen.tls.key: gone.key: cannot be read (No such file or directory); name a PEM "
        "file that this user may read"
    )
