"""`tailq-gateway top`: what it prints, and how it ends."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from typer.testing import CliRunner, Result

from gateway.live.view import LiveView
from gateway.top import words
from gateway.top.cli import top
from gateway.top.fetch import NoView, parse
from gateway.top.picture import History, Lane, scale
from gateway.top.screen import screen
from tests.gateway import views

ratios = st.floats(0, 1)
COMMAND = typer.Typer()
COMMAND.command()(top)
# As it is started, but that it asks twenty times as often.
_QUICK = "from gateway.top import watch; watch._EVERY_S = 0.1; from gateway.cli import main; main()"


class Admin(HTTPServer):
    """An admin listener that says what a test wants. content: of /v1/live; None: an error."""

    content: bytes | None = json.dumps(asdict(views.BAD)).encode()
    asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Admin

    def do_GET(self) -> None:
        self.server.asked += 1
        known = self.path == "/v1/live" and self.server.content is not None
        self.send_response(200 if known else 503)
        self.end_headers()
        if known and self.server.content is not None:
            self.wfile.write(self.server.content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def admin() -> Iterator[Admin]:
    with Admin(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def run(*arguments: str, **environment: str) -> Result:
    """`tailq-gateway top` without a terminal of its own."""
    return CliRunner().invoke(COMMAND, arguments, env={"COLUMNS": "80", **environment})


def printed(view: LiveView, width: int, silence: str | None = None) -> str:
    console = Console(width=width, highlight=False)
    with console.capture() as capture:
        console.print(screen(view, width, silence))
    return capture.get()


@pytest.mark.parametrize("name", views.EVERY)
@pytest.mark.parametrize("width", [80, 131, 132, 200])
def test_it_fits(name: str, width: int) -> None:
    """No line is longer than the terminal is wide, and nothing is cut off."""
    said = printed(views.EVERY[name], width)
    assert max(len(line) for line in said.splitlines()) <= width
    assert "…" not in said
    pictures = re.findall(r" ([░▲┃·━●]{2,}) ", said)
    assert len(pictures) >= len(views.EVERY[name].tiers)
    assert min(len(picture) for picture in pictures) >= 11


def test_it_says_what_the_view_says() -> None:
    """Signs and words, not colours alone; figures; troubles with their runbooks; wrong variants."""
    lines = printed(views.BAD, 160).splitlines()

    def line(start: str) -> str:
        return next(line for line in lines if line.startswith(start))

    assert "1 of 5 promises is broken: express." in lines
    gold = line("gold")
    for figure in ("✓ kept", "200 ms", "92.70", "94.61", "0.02", "99.87", "92.1", "5,212"):
        assert figure in gold
    assert "✕ broken" in line("express")
    assert "○ idle" in line("<img src=x")
    assert "▽ below" in line("a-tier")
    assert "92.52" in line("  feedback")
    assert "93.17" in line("  probes")
    assert "(TailqPromiseBroken.md)" in line("page")
    assert "✕ another" in line("medium")
    assert "× 5.12" in line("medium")
    assert "✕ absent" in line("legacy")
    assert "? unknown" in line("<b>nano</b>")
    said = " ".join(lines)
    assert "triton-b.example.internal:8000 ✕ does not answer" in said
    assert "feedback says it is off by +0.8 points for bronze (1,240 labels)" in said


def test_text_does_nothing_to_the_terminal() -> None:
    """Neither rich's markup nor control characters in what a gateway says."""
    trouble = replace(views.BAD.troubles[0], what="[bold]it[/bold] \x1b]0;title\x07 \x1b[2J")
    said = printed(replace(views.BAD, troubles=[trouble]), 80)
    assert "[bold]it[/bold]" in said
    assert "\x1b" not in said
    assert "\x07" not in said


def test_old_figures_are_marked() -> None:
    """With the reason."""
    said = printed(views.GOOD, 80, "the gateway does not answer")
    assert "✕ These figures are old: the gateway does not answer" in said


@given(st.lists(ratios, min_size=1), ratios, st.integers(8, 200))
def test_a_scale_keeps_order_and_bounds(values: list[float], other: float, width: int) -> None:
    """What is better stands no further left; all of it is between 0 and 100 %, in view."""
    zoomed = scale(values)
    assert 0 <= zoomed.low < zoomed.high <= 1
    assert zoomed.low <= min(values) <= max(values) <= zoomed.high
    places = [zoomed.at(value, width) for value in sorted([*values, other])]
    assert places == sorted(places)
    assert 0 <= places[0] <= places[-1] < width


@given(
    promise=ratios,
    mean=ratios | st.none(),
    tail=ratios | st.none(),
    interval=st.tuples(ratios, ratios).map(sorted) | st.none(),
    width=st.integers(8, 80),
)
def test_a_lane_shows_its_figures(
    promise: float,
    mean: float | None,
    tail: float | None,
    interval: list[float] | None,
    width: int,
) -> None:
    """As wide as there is room; the mean is always seen, the promise unless it is the same."""
    zoomed = scale([promise, mean, tail])
    ends = (interval[0], interval[1]) if interval else None
    console = Console(width=width)
    with console.capture() as capture:
        console.print(Lane(zoomed, promise, mean, tail, ends), end="")
    said = capture.get()
    assert len(said) == width
    place = zoomed.at(promise, width)
    if mean is None:
        assert said[place] == "┃"
        assert "●" not in said
        return
    assert said[zoomed.at(mean, width)] == "●"
    assert said[place] in "┃●"
    assert "░" not in said[place:]


def test_a_history_rises_and_has_gaps() -> None:
    """Later ones are to the right, better ones higher, unknown ones empty."""
    values = [None, 0.90, 0.92, 0.94, None, 0.96]
    console = Console(width=20)
    with console.capture() as capture:
        console.print(History(scale(values), values), end="")
    said = capture.get()
    assert len(said) == len(values)
    assert said[0] == said[4] == " "
    assert [said[1], said[2], said[3], said[5]] == sorted(said.replace(" ", ""))
    assert len(set(said)) == 5


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(1, "1 second"), (60, "1 minute"), (90, "90 seconds"), (900, "15 minutes"), (86400, "1 day")],
)
def test_a_span_in_words(seconds: float, says: str) -> None:
    """In the unit that is exact enough."""
    assert words.span(seconds) == says


def test_it_prints_once_without_a_terminal(admin: Admin) -> None:
    """And says the same as with --once: exit code 0, all of it on standard output."""
    said = run("--admin", admin.url)
    assert said.exit_code == 0, said.stderr
    assert said.stderr == ""
    assert said.stdout == run("--once", f"--admin={admin.url}/").stdout
    assert "1 of 5 promises is broken: express." in said.stdout
    assert "\x1b" not in said.stdout
    assert admin.asked == 2


def test_json_is_what_the_gateway_says(admin: Admin) -> None:
    """Once, for scripts."""
    said = run("--json", "--admin", admin.url)
    assert said.exit_code == 0
    assert json.loads(said.stdout) == json.loads(admin.content or b"")


def test_a_proxy_of_the_environment_is_not_asked(admin: Admin) -> None:
    """The gateway is asked as it is named."""
    assert run("--once", "--admin", admin.url, http_proxy="http://127.0.0.1:1").exit_code == 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "/v1/live says 503 Service Unavailable"),
        (b"<html>", "what /v1/live says is no view"),
        (b'{"service": "fashion"}', "what /v1/live says is no view: metric: Field required"),
        (b" " * (17 * 2**20), "says more than 16777216 bytes"),
    ],
)
def test_what_is_no_view_is_a_clear_error(admin: Admin, content: bytes | None, says: str) -> None:
    """Exit code 2 and one line with the remedy."""
    admin.content = content
    check_refused(run("--admin", admin.url), says)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:1", "http://127.0.0.1:1/v1/live does not answer: [Errno 111]"),
        ("127.0.0.1:8082", "--admin: '127.0.0.1:8082' is no URL such as http://127.0.0.1:8082"),
        ("file:///etc/passwd", "is no URL such as"),
        ("http://", "is no URL such as"),
        ("http://[", "is no URL such as"),
        ("http://127.0.0.1:port", "is no URL such as"),
    ],
)
def test_a_gateway_that_does_not_answer_is_a_clear_error(url: str, says: str) -> None:
    """So is what is no address of one."""
    check_refused(run("--admin", url), says)


def check_refused(said: Result, says: str) -> None:
    assert said.exit_code == 2
    assert says in said.stderr
    assert "--admin" in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert said.stdout == ""


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists).map(
        lambda value: json.dumps({"service": value}).encode()
    )
)
def test_any_answer_is_a_view_or_a_clear_error(content: bytes) -> None:
    """Never anything else."""
    with pytest.raises(NoView, match="no view"):
        parse(content)


class Terminal:
    """`tailq-gateway top` on a terminal of its own. said: all that it wrote."""

    def __init__(self, url: str) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color"}
        environment.pop("COLUMNS", None)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _QUICK, "top", "--admin", url],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
        )
        os.close(slave)
        self.said = ""

    def until(self, sign: str) -> None:
        """Read on until it has said so."""
        latest = time.monotonic() + 60
        while sign not in self.said:
            ready, _, _ = select.select([self._master], [], [], 30)
            assert ready, self.said
            assert time.monotonic() < latest, self.said
            self.said += os.read(self._master, 65536).decode(errors="replace")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_leaves_the_terminal_as_it_was(
    admin: Admin, number: signal.Signals, status: int
) -> None:
    """It has the whole screen, and gives it back; Ctrl-C is how one leaves."""
    with closing(Terminal(admin.url)) as terminal:
        terminal.until("1 of 5 promises is broken")
        assert "\x1b[?1049h" in terminal.said
        assert "\x1b[?1049l" not in terminal.said
        terminal.process.send_signal(number)
        terminal.until("\x1b[?1049l")
        assert terminal.process.wait(30) == status
        assert "Traceback" not in terminal.said


def test_on_a_terminal_it_follows_the_gateway(admin: Admin) -> None:
    """And marks figures as old when there are no newer ones, until there are."""
    with closing(Terminal(admin.url)) as terminal:
        terminal.until("1 of 5 promises is broken")
        admin.content = None
        terminal.until("These figures are old: ")
        admin.content = json.dumps(asdict(views.GOOD)).encode()
        terminal.until("Every promise is kept.")
