"""Whether Tritons serve what was profiled: the gateway's promises are about nothing else."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from gateway.upstream.fleet import Fleet
from gateway.upstream.triton import TritonHttp, model_path
from tailq.fingerprint import fingerprint

log = logging.getLogger("tailq.gateway.fingerprint")

EVERY_S: Final = 30.0
WITHIN_S: Final = 2.0
_LOOK_S: Final = 0.5
_DIGITS: Final = 12


class Fingerprints:
    """Compares each variant at each endpoint with the tier table's conditions.

    The fingerprint covers what Triton tells of a model: version, platform and configuration
    (instances, batching, device, parameters). Its files it tells nothing of, by any protocol: a
    file replaced under the same version and configuration is not noticed here.

    A variant without a fingerprint in the table, and one that does not answer, is as it was
    thought to be: nothing was compared.

    profiled: `Conditions.fingerprint`.

    foreign: variants that are something else at one endpoint at least; replaced on change. why:
    of each of these a text for operators.
    """

    def __init__(self, fleet: Fleet[TritonHttp], profiled: Mapping[str, str]) -> None:
        self.foreign: frozenset[str] = frozenset()
        self.why: dict[str, str] = {}
        self._fleet = fleet
        self._profiled = dict(profiled)
        self._served: dict[tuple[str, str], str] = {}  # (endpoint, variant) -> fingerprint

    def expect(self, profiled: Mapping[str, str]) -> None:
        """Another tier table applies from now on: compare with what was served last."""
        self._profiled = dict(profiled)
        self._compare()

    async def run(self) -> None:
        """Compare now, every 30 s, and soon after an endpoint came, left or came back, for ever."""
        clock = self._fleet.clock
        while True:
            looked_at, returns = clock.now(), self._fleet.returns
            await self.look()
            while clock.now() - looked_at < EVERY_S and self._fleet.returns == returns:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_S)  # a return is no event to wait for

    async def look(self) -> None:
        """Ask every endpoint once, and compare."""
        await asyncio.gather(
            *(self._ask(one.triton, name) for one in self._fleet.members for name in self._profiled)
        )
        self._compare()

    async def _ask(self, triton: TritonHttp, variant: str) -> None:
        path = model_path(variant)
        metadata = await triton.json(path, WITHIN_S)
        config = await triton.json(f"{path}/config", WITHIN_S)
        if metadata is not None and config is not None:
            self._served[str(triton.endpoint), variant] = of_model(variant, metadata, config)

    def _compare(self) -> None:
        why: dict[str, str] = {}
        present = {str(one.triton.endpoint) for one in self._fleet.members}
        self._served = {at: served for at, served in self._served.items() if at[0] in present}
        for (endpoint, variant), served in sorted(self._served.items()):
            profiled = self._profiled.get(variant)
            if profiled is not None and profiled != served:
                why.setdefault(
                    variant,
                    f"Triton at {endpoint} serves another {variant} ({served[:_DIGITS]}) than was "
                    f"profiled ({profiled[:_DIGITS]}); profile it, or load what was",
                )
        for variant, text in why.items():
            if self.why.get(variant) != text:
                log.warning("%s", text)
        for variant in self.why.keys() - why.keys():
            log.info("%s is what was profiled again", variant)
        self.why, self.foreign = why, frozenset(why)


def of_model(name: str, metadata: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The fingerprint of a model, of Triton's metadata and configuration of it as JSON.

    The same as the profiler's (profiler/measure/triton.py), which asks over gRPC.
    """
    told = metadata.get("versions")
    versions = [str(each) for each in told] if isinstance(told, list) else []
    version = max((each for each in versions if each.isdecimal()), key=int, default="1")
    return fingerprint(name, version, str(metadata.get("platform", "")), config)
