"""Labels reach the gateway in batches, for the share that was asked for, and none is lost."""

import json
from collections import Counter
from typing import Any

import pytest
from aiohttp import web

from loadtest.feedback import Feedback
from tests.loadtest.serving import served


def told(share: float, answers: int, *replies: web.Response) -> tuple[Counter[str], list[Any]]:
    """What became of labels, by a gateway that replies so, and the batches that it was sent."""
    batches: list[Any] = []

    async def take(request: web.Request) -> web.StreamResponse:
        batches.append(json.loads(await request.text())["feedback"])
        if len(batches) <= len(replies):
            return replies[len(batches) - 1]
        return web.json_response({"counts": {"taken": len(batches[-1])}, "not_taken": []})

    async def ask(address: str) -> Counter[str]:
        async with Feedback(address, share, seed=1) as labels:
            for number in range(answers):
                labels.learn(f"id-{number}", number % 10)
        return labels.counts

    counts = served({"/v1/feedback": take}, ask)
    assert isinstance(counts, Counter)
    return counts, batches


def test_every_label_is_told_once_when_all_are_to_be() -> None:
    """In batches that a gateway takes, with the label that belongs to the request."""
    counts, batches = told(1.0, 1234)
    assert counts == {"taken": 1234}
    assert max(map(len, batches)) <= 1000
    every = [(one["request_id"], one["label"]) for batch in batches for one in batch]
    assert every == [(f"id-{number}", number % 10) for number in range(1234)]


def test_a_share_is_told() -> None:
    """A tenth of ten thousand, by chance."""
    counts, _ = told(0.1, 10_000)
    assert counts["taken"] == pytest.approx(1000, abs=150)


def test_nothing_is_sent_where_nothing_is_to_be_told() -> None:
    """No share, no request."""
    assert told(0.0, 100) == (Counter(), [])


def test_what_a_gateway_refuses_is_counted_by_its_words() -> None:
    """The load goes on, and the batches after it are taken."""
    refusal = web.json_response({"error": "no feedback is taken here"}, status=404)
    counts, _ = told(1.0, 700, refusal)
    assert counts == {"no feedback is taken here": 500, "taken": 200}


@pytest.mark.parametrize("nonsense", ["<html>", "[1]", "null", "{}"])
@pytest.mark.parametrize("status", [200, 502])
def test_a_gateway_that_answers_nonsense_does_not_end_the_load(nonsense: str, status: int) -> None:
    """Its labels are counted as not understood, and the next batch is told."""
    counts, _ = told(1.0, 510, web.Response(text=nonsense, status=status))
    assert counts == {"not understood by the gateway": 500, "taken": 10}
