"""What metadata mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.clients import Clients
from gateway.clients.settings import ClientsSettings
from gateway.errors import Unauthorized
from gateway.grpc.metadata import Reader, tightened
from tailq.errors import BadRequest
from tailq.route import Ask

SECONDS = st.floats(0, 120)


def test_metadata_say_what_is_asked() -> None:
    """The same words as HTTP headers."""
    head = Reader(None).read(
        (
            ("tolerance", "0.02"),
            ("objective", "cost"),
            ("tailq-deadline-ms", "40"),
            ("tailq-request-id", "mine"),
            ("user-agent", "python"),
        )
    )
    assert head.ask == Ask(tolerance=0.02, objective="cost", deadline_s=0.04)
    assert head.request_id == b"mine"
    assert head.passed == b"user-agent: python\r\n"
    assert head.client is None


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        ((("tailq-tier", "a"), ("tailq-tier", "b")), "tailq-tier is sent twice"),
        ((("tailq-request-id", "x" * 2000),), "tailq-request-id is over"),
        ((("tailq-deadline-ms", b"\xff"),), "tailq-deadline-ms must be"),
        ((("tailq-tier", "é" * 60),), "tailq-tier must be"),
    ],
)
def test_what_makes_no_sense_is_refused(
    metadata: tuple[tuple[str, str | bytes], ...], says: str
) -> None:
    """The text names the key."""
    with pytest.raises(BadRequest, match=says):
        Reader(None).read(metadata)


def test_metadata_that_recur_mean_the_same_each_time() -> None:
    """Remembered ones do not mix with others, nor is a refusal forgotten."""
    reader = Reader(Clients(ClientsSettings()))
    for _ in range(3):
        for tier in ("a", "b"):
            assert reader.read((("tailq-tier", tier),)).ask.tier == tier
    strict = Reader(Clients(ClientsSettings(anonymous=False)))
    for _ in range(3):
        with pytest.raises(Unauthorized):
            strict.read((("tailq-tier", "a"),))


@given(SECONDS, SECONDS, st.none() | st.floats(0.001, 60))
def test_the_tightest_deadline_is_kept_with_a_margin(
    elapsed_s: float, remaining_s: float, asked_s: float | None
) -> None:
    """At most 10 ms, a tenth and a rounded millisecond before the client gives up."""
    ask = tightened(Ask(tier="a", deadline_s=asked_s), elapsed_s, remaining_s)
    assert ask.tier == "a"
    assert ask.deadline_s is not None
    patience_s = elapsed_s + remaining_s
    assert ask.deadline_s <= patience_s
    if asked_s is not None and ask.deadline_s == asked_s:
        return
    assert asked_s is None or ask.deadline_s < asked_s
    assert ask.deadline_s <= patience_s - min(0.1 * remaining_s, 0.01) + 1e-9
    assert ask.deadline_s >= patience_s - min(0.1 * remaining_s, 0.01) - 0.001 - 1e-9


def test_a_call_without_time_is_late() -> None:
    """Its deadline is in the past, which is the dataplane's to tell."""
    assert tightened(Ask(), 0.002, -1.0).deadline_s == 0.002
