"""Questions and answers between the supervisor and a worker: JSON lines over a socket pair."""

import asyncio
import itertools
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

_LONGEST: Final = 64 << 20  # bytes of a line: a tier table, or all metrics

Content = dict[str, Any]
Handle = Callable[[str, Content], Awaitable[Content]]


class Gone(Exception):
    """The other end has ended; what was asked has no answer."""


class Channel:
    """One end. Both ends may ask; each answers what it is asked one after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count()
        self._awaited: dict[int, asyncio.Future[Content]] = {}
        self._ended = False

    @classmethod
    async def over(cls, end: socket.socket) -> "Channel":
        """Over one end of a socket pair."""
        return cls(*await asyncio.open_unix_connection(sock=end, limit=_LONGEST))

    async def ask(self, do: str, **content: Any) -> Content:
        """What the other end answers. Raises Gone."""
        if self._ended:
            raise Gone
        number = next(self._numbers)
        answer: asyncio.Future[Content] = asyncio.get_running_loop().create_future()
        self._awaited[number] = answer
        self._write({"ask": number, "do": do, "content": content})
        try:
            return await answer
        finally:
            self._awaited.pop(number, None)

    async def serve(self, handle: Handle) -> None:
        """Answer what is asked, until the other end has ended."""
        asked: asyncio.Queue[Content] = asyncio.Queue()
        answering = asyncio.create_task(self._answer(asked, handle))
        answering.add_done_callback(lambda _: self._writer.close())
        try:
            while line := await self._reader.readline():
                message = json.loads(line)
                if "ask" in message:
                    asked.put_nowait(message)
                elif message["answer"] in self._awaited:
                    future = self._awaited[message["answer"]]
                    if not future.done():
                        future.set_result(message["content"])
        except (ConnectionError, ValueError):  # cut off, perhaps within a line
            pass
        finally:
            self._ended = True
            for future in self._awaited.values():
                if not future.done():
                    future.set_exception(Gone())
            if answering.done() and not answering.cancelled():
                answering.result()  # a mistake of ours: raised here
            answering.cancel()

    def close(self) -> None:
        """Say and hear no more; both ends notice."""
        self._writer.close()

    async def _answer(self, asked: "asyncio.Queue[Content]", handle: Handle) -> None:
        while True:
            message = await asked.get()
            content = await handle(message["do"], message["content"])
            self._write({"answer": message["ask"], "content": content})

    def _write(self, message: Content) -> None:
        self._writer.write(json.dumps(message).encode() + b"\n")
