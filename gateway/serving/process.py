"""What a process of the gateway is made ready with."""

import asyncio
from collections.abc import Callable

from gateway.settings import Settings

_FILES_BESIDE = 256  # beside connections of clients and to Triton


def allow_files(settings: Settings) -> None:
    """Raise the limit of open files (often 1024) as far as is needed and allowed."""
    try:
        import resource
    except ImportError:  # not a POSIX system, and no such limit
        return
    count = 2 * settings.limits.connections + _FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The one of uvloop where there is one; asyncio's own otherwise (Windows)."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
