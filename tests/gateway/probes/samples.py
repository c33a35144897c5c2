"""Probes for tests, and models that answer them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gateway.dataplane import Reading
from gateway.upstream.base import Call, Listener, Payload, Reply
from tailq.probes import Probes
from tailq.tier import TierTable
from tests.gateway.virtual import Behaviour, ScriptedUpstream

COUNT = 20  # samples
CLASSES = 4


def probes(table: TierTable, profile: str | None = None) -> Probes:
    """Sample n is the byte n and of class n modulo 4; every variant was right in the profile."""
    numbers = np.arange(COUNT, dtype=np.uint8)
    labels = numbers.astype(np.int64) % CLASSES
    return Probes(
        profile=profile or table.conditions.profile,
        inputs={"number": numbers.reshape(COUNT, 1, 1)},
        datatypes={"number": "UINT8"},
        labels=labels,
        answers=dict.fromkeys(table.variants, labels),
    )


@dataclass(slots=True)
class Model(ScriptedUpstream):
    """An upstream that answers sample n as `answer` says: the class, by variant and n."""

    answer: Callable[[str, int], int] = lambda _, number: number % CLASSES

    def infer(self, variant: str, payload: Payload, deadline: float, listener: Listener) -> Call:
        """See gateway.upstream.base.Upstream."""
        usual = self.usual.get(variant, Behaviour())
        number = payload.body[-1][0]
        assert isinstance(number, int)
        reply = Reply(b"%d" % self.answer(variant, number))
        result = reply if isinstance(usual.result, Reply) else usual.result
        self.script = [Behaviour(usual.after_s, result, usual.cancel_s)]
        return ScriptedUpstream.infer(self, variant, payload, deadline, listener)


def read(_variant: str, reply: Reply) -> Reading | None:
    """A dataplane.Read of Model's answers."""
    return Reading((0.9,), (int(reply.body),))


def read_all(variant: str, replies: Sequence[Reply]) -> list[Reading | None]:
    """The same of several."""
    return [read(variant, reply) for reply in replies]
