"""Looking after every endpoint without traffic: is it there, and which variants are ready."""

import asyncio
from typing import Final

from gateway.upstream.base import Failure
from gateway.upstream.fleet import Fleet
from gateway.upstream.member import Member
from gateway.upstream.triton import TritonHttp, model_path

WITHIN_S: Final = 2.0
EVERY_S: Final = 1.0


class Probes:
    """Asks the endpoints of a fleet, and tells the fleet.

    An endpoint that answers at all is up. Triton's own verdict on itself, /v2/health/ready, is
    not asked for more than that: it is "no" as soon as one model was unloaded, and the others are
    served as before. A variant is there if Triton calls it ready.
    """

    def __init__(self, fleet: Fleet[TritonHttp]) -> None:
        self._fleet = fleet
        self._others = asyncio.Event()

    def follow(self) -> None:
        """The fleet has become another one: run() is to look after that."""
        self._others.set()

    async def run(self) -> None:
        """Look after all of them for ever: each once a second, sooner when it is down."""
        attended: set[Member[TritonHttp]] = set()
        async with asyncio.TaskGroup() as tasks:
            while True:
                members = set(self._fleet.members)
                for member in members - attended:
                    tasks.create_task(self._attend(member))
                attended = members
                await self._others.wait()
                self._others.clear()

    async def look(self) -> None:
        """Ask all of them once. Within a few seconds."""
        await asyncio.gather(*(self._ask(member) for member in self._fleet.members))

    async def _attend(self, member: Member[TritonHttp]) -> None:
        """Until it has left."""
        while member in self._fleet.members:
            await self._ask(member)
            again_s = EVERY_S if member.is_up else member.retry_at - self._fleet.clock.now()
            await asyncio.sleep(max(0.0, again_s))

    async def _ask(self, member: Member[TritonHttp]) -> None:
        triton = member.triton
        answer = await triton.ask("/v2/health/ready", WITHIN_S)
        if isinstance(answer, Failure):
            member.down(answer.detail)
            return
        variants = tuple(self._fleet.service_s)
        answers = await asyncio.gather(
            *(triton.ask(f"{model_path(name)}/ready", WITHIN_S) for name in variants)
        )
        ready: dict[str, bool] = {}
        for name, answer in zip(variants, answers, strict=True):
            if isinstance(answer, Failure):
                member.down(answer.detail)
                return
            ready[name] = answer.status == 200
        member.serves(ready)
