"""What is said on standard error: lines for people, or one JSON object a line."""

import json
import logging
import os
import re
import sys
import time
from collections import Counter
from typing import Any, Final, Literal

from gateway.dataplane import Answer

log = logging.getLogger("tailq.gateway.requests")

_BAD: Final = frozenset(("late", "failed", "shed"))
_TRACEPARENT: Final = re.compile(rb"^traceparent: ([\x20-\x7e]+)\r$", re.MULTILINE)
# What logging itself puts on a record; all else is ours.
_OWN: Final = frozenset(
    (*vars(logging.makeLogRecord({})), "message", "asctime", "color_message", "taskName")
)


def configure(level: str, form: Literal["text", "json"], worker: int | None = None) -> None:
    """Let this process log to standard error. worker: its number, None: there is one only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(worker) if form == "json" else TextLines(worker))
    root, ours = logging.getLogger(), logging.getLogger("tailq")
    root.handlers[:] = [handler]
    ours.setLevel(level.upper())
    # Libraries tell of their own doings, which ours covers, and of mistakes, which are wanted.
    root.setLevel(max(logging.WARNING, ours.level))
    # gRPC writes lines of its own, such as one for every TLS handshake that a client breaks off.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What `extra=` gave a record."""
    return {name: value for name, value in vars(record).items() if name not in _OWN}


class JsonLines(logging.Formatter):
    """One object a line: time (UTC, RFC 3339), level, logger, message, and the record's fields."""

    def __init__(self, worker: int | None = None) -> None:
        super().__init__()
        self._worker = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """See logging.Formatter."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = {
            "time": f"{seconds}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._worker,
            **fields(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """A line for people; the record's fields follow as key=value."""

    def __init__(self, worker: int | None = None) -> None:
        who = "" if worker is None else f" [{worker}]"
        super().__init__(f"%(asctime)s %(levelname)s{who} %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """See logging.Formatter."""
        line = super().formatMessage(record)
        given = [f"{name}={_quoted(value)}" for name, value in fields(record).items()]
        return " ".join([line, *given])


def _quoted(value: object) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text and text else json.dumps(text)


class RequestLog:
    """Tells of requests: at INFO of those that did not end well, at DEBUG of each.

    most: of them in one second at INFO; those above are counted, and the count is told with the
    first one of a later second, or by flush().
    """

    def __init__(self, most: int = 10) -> None:
        self._most = most
        self._second = 0
        self._told = 0
        self._untold: Counter[str] = Counter()
        self._each = log.isEnabledFor(logging.DEBUG)
        self._bad = log.isEnabledFor(logging.INFO)

    def ended(self, answer: Answer, request_id: bytes, passed: bytes) -> None:
        """A request has ended. passed: its header lines for Triton, traceparent among them."""
        if self._each:
            self._tell(logging.DEBUG, answer, request_id, passed)
        elif self._bad and answer.outcome in _BAD and self._may(answer.outcome):
            self._tell(logging.INFO, answer, request_id, passed)

    def flush(self) -> None:
        """Tell how many were not told of; to be called every second or so."""
        if self._untold:
            counts = dict(sorted(self._untold.items()))
            self._untold.clear()
            log.info("more requests did not end well", extra={"not_told": counts})

    def _may(self, outcome: str) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._told = second, 0
            self.flush()
        if self._told >= self._most:
            self._untold[outcome] += 1
            return False
        self._told += 1
        return True

    def _tell(self, level: int, answer: Answer, request_id: bytes, passed: bytes) -> None:
        extra: dict[str, Any] = {
            "request_id": request_id.decode("latin-1"),
            "tier": answer.decision.tier.name,
            "variant": answer.variant,
            "outcome": answer.outcome,
            "ms": round(answer.total_s * 1000, 3),
        }
        traced = _TRACEPARENT.search(passed)
        if traced is not None:
            extra["traceparent"] = traced[1].decode()
        if answer.best_effort is not None:
            extra["reason"] = answer.best_effort
        detail = getattr(answer.result, "detail", None)
        if detail is not None:
            extra["detail"] = detail
        log.log(level, "request %s", answer.outcome, extra=extra)
