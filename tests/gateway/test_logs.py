"""What the log says, and how much of it."""

import json
import logging
import sys

import pytest

from gateway import logs
from gateway.dataplane import Answer, Outcome
from gateway.logs import JsonLines, RequestLog, TextLines
from gateway.upstream.base import Failure
from tailq.route import Ask, Load, Router
from tests.tables import promise, table, tier

ROUTER = Router(table(tier("fast", 0.1, promise("small", 0.03))))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PASSED = b"content-type: application/json\r\ntraceparent: %s\r\n" % TRACE.encode()


def answer(outcome: Outcome) -> Answer:
    decision = ROUTER.decide(Ask(tier="fast"), 0.0, Load())
    result = Failure("lost", "it broke") if outcome == "failed" else None
    return Answer(outcome, decision, result, 0.0123456, variant="small")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "tailq.gateway.requests")
    return caplog


def test_json_lines_hold_what_was_said_and_the_fields() -> None:
    """One object a line, whatever is in the message."""
    record = logging.makeLogRecord(
        {
            "name": "tailq",
            "levelname": "INFO",
            "msg": "line\n%s",
            "args": ("two",),
            "created": 0.25,
            "msecs": 250.0,
            "tier": "fast",
        }
    )
    line = JsonLines(worker=1).format(record)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "info",
        "logger": "tailq",
        "message": "line\ntwo",
        "worker": 1,
        "tier": "fast",
    }


def test_a_traceback_is_a_field() -> None:
    """And the object stays on one line."""
    try:
        raise ValueError("so")
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    line = JsonLines().format(record)
    assert "\n" not in line
    assert "ValueError: so" in json.loads(line)["traceback"]


def test_lines_for_people_quote_what_has_spaces() -> None:
    """Fields follow the message."""
    record = logging.makeLogRecord({"msg": "request", "tier": "fast", "detail": "it broke"})
    assert TextLines().format(record).endswith('request tier=fast detail="it broke"')


def test_requests_that_did_not_end_well_are_told_of(told: pytest.LogCaptureFixture) -> None:
    """With all there is to find them by; good ones are not at INFO."""
    requests = RequestLog(10)
    for outcome in ("on_time", "rescued", "best_effort", "invalid", "cancelled"):
        requests.ended(answer(outcome), b"r-1", PASSED)
    assert not told.records
    requests.ended(answer("failed"), b"r-1", PASSED)
    (record,) = told.records
    assert logs.fields(record) == {
        "request_id": "r-1",
        "tier": "fast",
        "variant": "small",
        "outcome": "failed",
        "ms": 12.346,
        "traceparent": TRACE,
        "detail": "it broke",
    }


def test_each_request_is_told_of_at_debug(told: pytest.LogCaptureFixture) -> None:
    """Good ones, too."""
    told.set_level(logging.DEBUG, "tailq.gateway.requests")
    RequestLog(0).ended(answer("on_time"), b"r-1", b"")
    assert "traceparent" not in logs.fields(told.records[0])


def test_above_so_many_a_second_they_are_counted(
    told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The count is told with the next second's first, or when asked for."""
    now = 5.0
    monkeypatch.setattr("gateway.logs.time.monotonic", lambda: now)
    requests = RequestLog(2)
    for outcome in ("late", "shed", "shed", "late", "shed"):
        requests.ended(answer(outcome), b"r", b"")
    assert [record.message for record in told.records] == ["request late", "request shed"]
    now = 6.0
    requests.ended(answer("late"), b"r", b"")
    assert logs.fields(told.records[2]) == {"not_told": {"late": 1, "shed": 2}}
    assert told.records[3].message == "request late"
    requests.flush()
    assert len(told.records) == 4


def test_libraries_do_not_chatter(capsys: pytest.CaptureFixture[str]) -> None:
    """At level debug it is the gateway that is debugged; of libraries only warnings are told."""
    root, ours = logging.getLogger(), logging.getLogger("tailq")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    try:
        logs.configure("debug", "text")
        for name in ("tailq.gateway", "grpc._cython.cygrpc"):
            logging.getLogger(name).debug("details of %s", name)
            logging.getLogger(name).warning("warning of %s", name)
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
    said = capsys.readouterr().err
    assert "details of tailq" in said
    assert "details of grpc" not in said
    assert said.count("warning of") == 2
