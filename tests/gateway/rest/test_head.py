"""The head of an infer request."""

import pytest

from gateway.clients import Clients
from gateway.clients.settings import Bounds, ClientsSettings
from gateway.errors import LengthRequired, TooLarge
from gateway.rest.head import read
from tailq.errors import BadRequest

LENGTH = (b"content-length", b"10")


def test_what_does_not_end_here_is_passed_on() -> None:
    """Type, encoding, trace context and whatever else; not what is for the gateway alone."""
    head = read(
        [
            LENGTH,
            (b"host", b"gateway"),
            (b"content-type", b"application/json"),
            (b"inference-header-content-length", b"07"),
            (b"cookie", b"secret"),
            (b"x-tenant", b"blue"),
            (b"traceparent", b"00-1"),
        ],
        100,
    )
    assert head.length == 10
    assert head.json_length == 7
    assert head.passed.split(b"\r\n") == [
        b"content-type: application/json",
        b"x-tenant: blue",
        b"traceparent: 00-1",
        b"inference-header-content-length: 7",
        b"",
    ]


@pytest.mark.parametrize("length", [LENGTH, (b"transfer-encoding", b"chunked")])
def test_compressed_a_body_may_be_shorter_than_its_json(length: tuple[bytes, bytes]) -> None:
    """The length of the JSON part is that of the plain text, which only Triton gets to see."""
    headers = [length, (b"inference-header-content-length", b"300")]
    head = read([*headers, (b"content-encoding", b"gzip")], 100)
    assert head.json_length is None
    assert head.passed.endswith(b"inference-header-content-length: 300\r\n")
    plain = [*headers, (b"content-encoding", b"Identity")]
    if length is LENGTH:
        with pytest.raises(BadRequest, match="but the body has 10 bytes"):
            read(plain, 100)
    else:
        assert read(plain, 100).json_length == 300


def test_credentials_may_be_long() -> None:
    """Where they are not for us, a token of any size does no harm."""
    assert read([LENGTH, (b"authorization", b"Bearer " + b"x" * 5000)], 100).client is None


def test_who_is_neither_bounded_nor_counted_is_nobody() -> None:
    """So that their requests cost nothing; those of others carry their client."""
    bounded = ClientsSettings(anonymous=Bounds(max_in_flight=1))
    assert read([LENGTH], 100, Clients(ClientsSettings())).client is None
    client = read([LENGTH], 100, Clients(bounded)).client
    assert client is not None
    assert client.name == "anonymous"


def test_a_repeated_header_must_agree_with_itself() -> None:
    """The same value twice is one value; two values are a mistake."""
    assert read([LENGTH, (b"tailq-tier", b"a"), (b"tailq-tier", b"a")], 100).ask.tier == "a"
    with pytest.raises(BadRequest, match="tailq-tier is sent twice"):
        read([LENGTH, (b"tailq-tier", b"a"), (b"tailq-tier", b"b")], 100)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (b"inference-header-content-length", b"x", "Inference-Header-Content-Length must be"),
        (b"inference-header-content-length", b"-1", "Inference-Header-Content-Length must be"),
        (b"inference-header-content-length", b"\xb2", "Inference-Header-Content-Length must be"),
        (b"inference-header-content-length", b"1" * 20, "Inference-Header-Content-Length must be"),
        (b"inference-header-content-length", b"11", "is 11, but the body has 10 bytes"),
        (b"tailq-request-id", b"", "1 to 128 printable"),
        (b"tailq-request-id", b"a b", "1 to 128 printable"),
        (b"tailq-request-id", b"\xff", "1 to 128 printable"),
        (b"traceparent", b"x" * 1025, "traceparent is over 1024"),
    ],
)
def test_malformed_headers_are_refused_by_name(name: bytes, value: bytes, says: str) -> None:
    """The error names the header and what it must be."""
    with pytest.raises(BadRequest, match=says):
        read([LENGTH, (name, value)], 100)


def test_the_body_must_say_where_it_ends() -> None:
    """A length within the limit, or chunks."""
    assert read([(b"transfer-encoding", b"chunked")], 9).length is None
    assert read([LENGTH], 10).length == 10
    with pytest.raises(TooLarge, match="9 bytes"):
        read([LENGTH], 9)
    with pytest.raises(LengthRequired):
        read([], 9)
