"""From header values to what is asked for."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ask import MAX_DEADLINE_MS, parse
from tailq.errors import BadRequest
from tailq.route import Ask

NOTHING = (None, None, None, None)


def test_nothing_asked_is_nothing_asked() -> None:
    """Without headers no tier is assumed here: that is the tier table's to decide."""
    assert parse(*NOTHING) == Ask()


def test_values_are_read() -> None:
    """Each header ends in its field; milliseconds become seconds."""
    assert parse(b"gold", None, None, b"40") == Ask(tier="gold", deadline_s=0.04)
    assert parse(None, b"0.01", b"cost", b"2.5") == Ask(
        tolerance=0.01, objective="cost", deadline_s=0.0025
    )
    assert parse(None, b"1e-05", None, None) == Ask(tolerance=1e-05)


@pytest.mark.parametrize(
    "value",
    [b"", b"abc", b"nan", b"inf", b"-1", b"0", b"-0", b"1_0", b"60001", b"1e9", b"4" * 30, b"\xb2"],
)
def test_malformed_deadlines_are_refused(value: bytes) -> None:
    """The error names the header, its bounds and an example."""
    with pytest.raises(BadRequest, match=r"tailq-deadline-ms .*above 0 and at most 60000.*40"):
        parse(None, None, None, value)


@pytest.mark.parametrize("value", [b"", b"abc", b"nan", b"-0.1", b"1.1", b"inf", b"0x1"])
def test_malformed_tolerances_are_refused(value: bytes) -> None:
    """The error names the header, its bounds and an example."""
    with pytest.raises(BadRequest, match=r"tolerance .*from 0 to 1.*0\.01"):
        parse(None, value, None, None)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ((b"gold", b"0.1", None, None), "one or the other"),
        ((b"gold", None, b"cost", None), "one or the other"),
        ((None, None, b"cost", None), "send tolerance too"),
        ((None, b"0.1", b"fun", None), "response-time or cost"),
        ((b"", None, None, None), "1 to 63"),
        ((b"x" * 64, None, None, None), "1 to 63"),
    ],
)
def test_contradictions_are_refused(values: tuple[bytes | None, ...], says: str) -> None:
    """What cannot be meant is not guessed at."""
    with pytest.raises(BadRequest, match=says):
        parse(*values)


values = st.one_of(st.none(), st.binary(max_size=80), st.floats().map(lambda f: str(f).encode()))


@given(values, values, values, values)
def test_any_bytes_are_read_or_refused(
    tier: bytes | None, tolerance: bytes | None, objective: bytes | None, deadline: bytes | None
) -> None:
    """Whatever is sent: values within their bounds, or a BadRequest in printable ASCII."""
    try:
        ask = parse(tier, tolerance, objective, deadline)
    except BadRequest as error:
        text = str(error)
    else:
        text = ""
        assert ask.deadline_s is None or 0 < ask.deadline_s <= MAX_DEADLINE_MS / 1000
        assert ask.tolerance is None or 0 <= ask.tolerance <= 1
        assert ask.tier is None or ask.tolerance is None
    assert text.isascii()
    assert not text or text.isprintable()


@given(st.floats(min_value=0.001, max_value=MAX_DEADLINE_MS))
def test_deadlines_of_any_client_are_understood(milliseconds: float) -> None:
    """Floats as Python prints them are read as they were meant."""
    ask = parse(None, None, None, repr(milliseconds).encode())
    assert ask.deadline_s is not None
    assert math.isclose(ask.deadline_s, milliseconds / 1000)
