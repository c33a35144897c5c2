"""Settings of the upstream: what is accepted, and what is said of what is not."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.upstream import endpoint, tls
from gateway.upstream.endpoint import Endpoint
from gateway.upstream.settings import EndpointSettings, TlsSettings, UpstreamSettings
from tailq.artefact import explain
from tailq.errors import TailqError
from tests.gateway.upstream.certificates import Authority

A = {"http": "a:8000"}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("127.0.0.1:8000", (False, "127.0.0.1", 8000)),
        ("http://triton:1/", (False, "triton", 1)),
        ("https://triton.example:8443", (True, "triton.example", 8443)),
        ("https://[::1]:65535", (True, "::1", 65535)),
        ("triton.svc.cluster.local.:80", (False, "triton.svc.cluster.local.", 80)),
    ],
)
def test_addresses_are_read(text: str, parsed: tuple[bool, str, int]) -> None:
    """With or without a scheme; https is a choice that only the address makes."""
    assert endpoint.parse(text) == parsed
    assert str(Endpoint(*parsed[1:])) in text


@pytest.mark.parametrize(
    "text",
    ["", "a", ":1", "a:", "a:0", "a:65536", "a:x", "a:²", "::1:80", "[a]:1", "ftp://a:1", "u@a:1",
     "a b:1", "a:1/v2", "a\n:1", "https://a", "a..b:1", ".a:1", f"{'a' * 64}:1", ".:1"],
)  # fmt: skip
def test_what_is_no_address_is_refused(text: str) -> None:
    """With examples of what would be one."""
    with pytest.raises(TailqError, match=r"such as 127\.0\.0\.1:8000"):
        endpoint.parse(text)


def test_an_endpoint_may_be_written_as_its_address_alone() -> None:
    """The short form is what most settings need."""
    settings = UpstreamSettings.model_validate({"endpoints": ["a:1", A], "max_reply": "1MiB"})
    assert settings.endpoints == (EndpointSettings(http="a:1"), EndpointSettings(http="a:8000"))
    assert settings.max_reply == 1 << 20


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"endpoints": []}, r"endpoints: .*at least 1"),
        ({"endpoints": [{"http": "a"}]}, r"endpoints\.0\.http: .*no HOST:PORT"),
        ({"endpoints": [{**A, "metrics": "b"}]}, r"endpoints\.0\.metrics: .*no HOST:PORT"),
        ({"endpoints": [{**A, "metrics": "https://b:1"}]}, r"metrics: .*without TLS; give HOST"),
        ({"endpoints": [A, {"http": "http://a:8000"}]}, r"a:8000.*twice; leave one"),
        ({"endpoints": [A], "tls": {}}, r"tls: no endpoint uses it.*https://HOST:PORT"),
        ({"endpoints": [A], "tls": {"server_name": "a..b"}}, r"server_name: .*no name of a host"),
        ({"endpoints": [A], "tls": {"server_name": ""}}, r"server_name: .*no name of a host"),
        ({"endpoints": [A], "tls": {"key": __file__}}, r"tls: .*key: .*without `certificate`"),
        ({"endpoints": [A], "tls": {"verify": False}}, r"tls\.verify: .*not permitted"),
        ({"endpoints": [A], "connect_s": 0}, r"connect_s: .*greater than 0"),
    ],
)
def test_mistakes_are_named_with_their_place(given: dict[str, Any], says: str) -> None:
    """The field, and what to do; verification cannot be switched off."""
    with pytest.raises(ValidationError) as caught:
        UpstreamSettings.model_validate(given)
    assert re.search(says, explain(caught.value))


def test_files_that_hold_no_certificate_are_refused(tmp_path: Path) -> None:
    """No authority, no key, a key of another certificate, an encrypted key: named, with the field.

    OpenSSL would ask for the encrypted key's password at the terminal.
    """
    authority = Authority(tmp_path, "ours")
    one, other = authority.sign("a"), authority.sign("b")
    hidden = authority.sign("c", password=b"secret")
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("nonsense")
    for ca, says in (
        (nonsense, "nonsense holds no certificate"),
        (tmp_path / "gone", "gone: cannot be read .*PEM"),
        (tmp_path, r"cannot be read \(Is a directory"),
    ):
        with pytest.raises(TailqError, match=rf"^upstream\.tls\.ca: .*{says}"):
            tls.read(TlsSettings(ca=ca))
    for certificate, key in (
        (one.certificate, other.key),
        (one.certificate, None),
        (nonsense, one.key),
        (hidden.certificate, hidden.key),
    ):
        with pytest.raises(TailqError, match=r"tls\.certificate: .*not encrypted"):
            tls.read(TlsSettings(certificate=certificate, key=key))
