"""Signals as an operator means them: end politely, end now, look at the files again."""

import asyncio
import os
import signal
from collections.abc import Callable


def listen(
    on_reload: Callable[[], object], at_once: Callable[[], object] = lambda: None
) -> asyncio.Event:
    """An event that SIGTERM or SIGINT set; SIGHUP calls `on_reload`.

    A second one ends this process by that very signal, after `at_once` was called.
    """
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def end(number: int) -> None:
        if not told.is_set():
            told.set()
            return
        at_once()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, number)
    loop.add_signal_handler(signal.SIGHUP, on_reload)
    return told
