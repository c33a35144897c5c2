"""The head of an infer request."""

import pytest

from gateway.errors import LengthRequired, TooLarge
from gateway.rest.head import read
from tailq.errors import BadRequest

LENGTH = (b"content-length", b"10")


def test_what_belongs_to_the_body_is_passed_on() -> None:
    """Type, encoding, JSON length and trace context go to Triton; other headers do not."""
    head = read(
        [
            LENGTH,
            (b"host", b"gateway"),
            (b"content-type", b"application/json"),
            (b"inference-header-content-length", b"07"),
            (b"cookie", b"secret"),
            (b"traceparent", b"00-1"),
        ],
        100,
    )
    assert head.length == 10
    assert head.json_length == 7
    assert sorted(head.passed.split(b"\r\n")) == [
        b"",
        b"content-type: application/json",
        b"inference-header-content-length: 7",
        b"traceparent: 00-1",
    ]


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
