"""Feedback that reaches another worker than the one that answered: it is passed on, once.

Worker -> supervisor -> the other workers, one after the other: a client may have used one id twice,
and two workers asked at once would both take its label.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from gateway.live import feedback
from gateway.live.feedback import Result, Told
from gateway.service import Service
from gateway.workers.channel import Channel, Content, Gone

_ANSWER_S: Final = 1.0


class Sibling(Protocol):
    """See child.Child."""

    async def ask(self, do: str, within_s: float, **content: object) -> Content | None:
        """What it answers in time; None: nothing."""
        ...


async def ask_siblings(siblings: Iterable[Sibling], content: Content) -> Content:
    """In the supervisor: what becomes of each item, "unknown" where nobody knows the request."""
    told = content["told"]
    results = ["unknown"] * len(told)
    for sibling in siblings:
        still = [number for number, result in enumerate(results) if result == "unknown"]
        if not still:
            break
        answer = await sibling.ask("feedback", _ANSWER_S, told=[told[number] for number in still])
        if answer is not None and "results" in answer:
            for number, result in zip(still, answer["results"], strict=True):
                results[number] = result
    return {"results": results}


async def told_here(service: Service, content: Content) -> Content:
    """In a worker that is asked for a sibling."""
    told = feedback.decode(content["told"])
    taker = service.feedback
    return {"results": ["unknown"] * len(told) if taker is None else await taker.here(told)}


def share(service: Service, channel: Channel) -> None:
    """In a worker: ask the siblings of requests that are not known here."""

    async def siblings(told: Sequence[Told]) -> list[Result]:
        try:
            answer = await channel.ask("feedback", told=feedback.encode(told))
        except Gone:  # both end
            return ["unknown"] * len(told)
        results: list[Result] = answer["results"]
        return results

    if service.feedback is not None:
        service.feedback.siblings = siblings
