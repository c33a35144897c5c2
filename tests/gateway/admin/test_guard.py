"""Other sites' pages in an operator's browser: what they may not see or do."""

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin.guard import Guard


def ask(method: str = "GET", *, loopback: bool = True, **headers: str) -> int:
    """The status of a request with these headers; 200: it was let through."""

    async def handle(_: Request) -> Response:
        return JSONResponse({})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    app = Guard(Starlette(routes=[Route("/", handle, methods=["GET", "POST"])]), loopback)
    told = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8082"), *told] if "host" not in headers else told,
    }
    asyncio.run(app(scope, receive, send))
    (status,) = statuses
    return status


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8082", "[::1]:8082", "[::1]"])
def test_it_may_be_asked_by_address(host: str) -> None:
    """An address is nobody's name."""
    assert ask(host=host) == 200


@pytest.mark.parametrize("host", ["localhost", "localhost:8082"])
def test_it_may_be_asked_as_localhost(host: str) -> None:
    """Which no name server is asked for."""
    assert ask(host=host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8082", "localhost.evil.example", ""]
)
def test_a_name_that_was_made_to_lead_here_sees_nothing(host: str) -> None:
    """DNS rebinding: to the browser, evil.example's page asks evil.example."""
    assert ask(host=host) == 421
    assert ask("POST", host=host) == 421


def test_where_others_reach_it_it_may_have_a_name() -> None:
    """Prometheus in another container asks `gateway:8082`."""
    assert ask(loopback=False, host="gateway:8082") == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_pages_change_nothing(site: str) -> None:
    """A form on a page can POST anywhere, and the browser says whose page it was."""
    assert ask("POST", sec_fetch_site=site) == 403
    assert ask("POST", loopback=False, sec_fetch_site=site) == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:3000"])
def test_nor_do_they_in_browsers_that_tell_less(origin: str) -> None:
    """The origin alone says so, too; another port is another site."""
    assert ask("POST", origin=origin) == 403


def test_its_own_page_and_the_command_line_may() -> None:
    """What is no browser says nothing of sites."""
    assert ask("POST") == 200
    assert ask("POST", sec_fetch_site="same-origin", origin="http://127.0.0.1:8082") == 200
    assert ask("POST", origin="http://127.0.0.1:8082") == 200


def test_a_link_from_elsewhere_may_lead_here() -> None:
    """To read: what it shows goes to the reader, not to the other site."""
    assert ask(sec_fetch_site="cross-site") == 200
