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

    tritons: of the fleet's members, in their order.
    """

    def __init__(self, fleet: Fleet, tritons: tuple[TritonHttp, ...]) -> None:
        self._fleet = fleet
        self._targets = tuple(zip(fleet.members, tritons, strict=True))

    async def run(self) -> None:
        """Look after all of them for ever: each once a second, sooner when it is down."""
        async with asyncio.TaskGroup() as tasks:
            for member, triton in self._targets:
                tasks.create_task(self._attend(member, triton))

    async def look(self) -> None:
        """Ask all of them once. Within a few seconds."""
        await asyncio.gather(*(self._ask(*target) for target in self._targets))

    async def _attend(self, member: Member, triton: TritonHttp) -> None:
        while True:
            await self._ask(member, triton)
            again_s = EVERY_S if member.is_up else member.retry_at - triton.clock.now()
            await asyncio.sleep(max(0.0, again_s))

    async def _ask(self, member: Member, triton: TritonHttp) -> None:
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
