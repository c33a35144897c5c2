"""Which headers go on to Triton."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.forward import forwarded, lines

NAMES = st.sampled_from(
    [
        *(b"accept", b"content-type", b"x-request-id", b"traceparent", b"user-agent", b"a-bin"),
        *(b"host", b"connection", b"authorization", b"cookie", b"proxy-authorization", b"te"),
        *(b"x-api-key", b"content-length", b"transfer-encoding", b"accept-encoding", b"expect"),
        *(b"tailq-tier", b"tolerance", b"objective", b"tailq-request-id", b"upgrade", b":path"),
        *(b"grpc-timeout", b"inference-header-content-length", b"keep-alive", b"trailer"),
    ]
)
PASS = {b"accept", b"content-type", b"x-request-id", b"traceparent", b"user-agent", b"a-bin"}


@given(st.lists(st.tuples(NAMES, st.binary(max_size=8))))
def test_only_what_does_not_end_here_is_passed_on(headers: list[tuple[bytes, bytes]]) -> None:
    """In its order and as it came; and each stays within its line."""
    passed = forwarded(headers)
    assert {name for name, _ in passed} <= PASS
    assert [one for one in headers if one in passed] == passed
    text = lines(passed)
    assert text.count(b"\n") == text.count(b"\r") == len(passed)
    assert b"\0" not in text


def test_a_client_names_what_is_between_it_and_us() -> None:
    """What a Connection header names is hop-by-hop, wherever that header stands."""
    headers = [(b"x-hop", b"1"), (b"x-end", b"2"), (b"connection", b"Keep-Alive, X-Hop")]
    assert forwarded(headers) == [(b"x-end", b"2")]


def test_repeated_headers_stay_repeated() -> None:
    """Joining them is the receiver's choice."""
    headers = [(b"baggage", b"a=1"), (b"baggage", b"b=2")]
    assert forwarded(headers) == headers
