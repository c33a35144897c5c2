"""A stand-in for parts of the gateway's HTTP, for tests of what the load test asks of it."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web


def served(
    routes: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]],
    ask: Callable[[str], Awaitable[object]],
) -> object:
    """Serve the routes while `ask` is awaited with the address."""

    async def run() -> object:
        app = web.Application()
        for path, handler in routes.items():
            app.router.add_route("*", path, handler)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            host, port = runner.addresses[0][:2]
            return await ask(f"{host}:{port}")
        finally:
            await runner.cleanup()

    return asyncio.run(run())
