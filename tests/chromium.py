"""A page in a real Chromium, over its DevTools protocol: what it shows, and what it fetches."""

import asyncio
import base64
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

_PHONE_BELOW = 700


@dataclass
class Page:
    """An open tab.

    fetched: address of every request it made. complaints: what its console says of errors and
    warnings, scripts that failed and what a policy forbade among them.
    """

    socket: aiohttp.ClientWebSocketResponse
    fetched: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    _last: int = 0

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol and wait for its result."""
        self._last += 1
        await self.socket.send_json({"id": self._last, "method": method, "params": params})
        said = await self._until("id", self._last)
        assert "error" not in said, said
        return dict(said["result"])

    async def _until(self, key: str, value: object) -> dict[str, Any]:
        """Wait for a message."""
        while True:
            said = await self.socket.receive_json(timeout=30)
            self._note(said)
            if said.get(key) == value:
                return dict(said)

    def _note(self, said: dict[str, Any]) -> None:
        """What is said without being asked for."""
        match said.get("method"):
            case "Network.requestWillBeSent":
                self.fetched.append(said["params"]["request"]["url"])
            case "Runtime.exceptionThrown" | "Log.entryAdded" | "Runtime.consoleAPICalled":
                self.complaints.append(json.dumps(said["params"]))

    async def open(self, address: Path | str, *, width: int, dark: bool) -> None:
        """Show a file or URL as a screen of that width in CSS pixels, in a dark or light scheme."""
        await self.call("Network.enable")
        await self.call("Runtime.enable")
        await self.call("Log.enable")
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < _PHONE_BELOW,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        await self.call("Page.enable")
        url = address if isinstance(address, str) else address.as_uri()
        await self.call("Page.navigate", url=url)
        await self._until("method", "Page.loadEventFired")

    async def evaluate(self, expression: str) -> Any:
        """Value of a JavaScript expression in the page."""
        result = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, condition: str) -> None:
        """Let the page go on until a JavaScript expression is true."""
        async with asyncio.timeout(30):
            while not await self.evaluate(condition):
                pass

    async def screenshot(self) -> bytes:
        """The whole page as a PNG."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


class Chromium:
    """A headless browser; a context manager."""

    def __init__(self, binary: str) -> None:
        self._binary = binary

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                self._binary,
                "--headless=new",
                "--no-sandbox",  # CI runs as root in a container
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--remote-debugging-port=0",
                f"--user-data-dir={self._home.name}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        said, patience_s = Path(self._home.name, "DevToolsActivePort"), 60.0
        while not said.exists() or "/" not in said.read_text():
            patience_s -= 0.05
            assert patience_s > 0, "Chromium does not listen"
            assert self._process.poll() is None, "Chromium ended"
            time.sleep(0.05)
        self._url = f"http://127.0.0.1:{said.read_text().split()[0]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        self._home.cleanup()

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Page]:
        """A new one, with nothing in it."""
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{self._url}/json/new") as response:
                tab = await response.json()
            address = tab["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                yield Page(socket)
            async with session.get(f"{self._url}/json/close/{tab['id']}") as response:
                await response.read()
