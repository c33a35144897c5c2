"""The view on a terminal's whole screen, kept up to date until a signal ends it."""

import signal
import sys
import time
from typing import Final, NoReturn

from rich.console import Console
from rich.live import Live

from gateway.live.view import LiveView
from gateway.top.fetch import NoView, fetch, parse
from gateway.top.screen import screen

_EVERY_S: Final = 2.0


def watch(console: Console, admin: str, view: LiveView) -> NoReturn:
    """Show `view`, then newer ones. When the gateway falls silent, the last one stays, marked.

    Ctrl-C: KeyboardInterrupt; SIGTERM: SystemExit. Either leaves the terminal as it was.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Whoever started it in the background of a shell has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    silence: str | None = None
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(screen(view, console.width, silence), refresh=True)
            time.sleep(_EVERY_S)
            try:
                view, silence = parse(fetch(admin)), None
            except NoView as error:
                silence = str(error)
