"""From the dataplane's answers to HTTP responses."""

import json
from dataclasses import replace
from typing import Any

import pytest

from gateway.dataplane import Answer, Outcome
from gateway.rest.render import Renderer
from gateway.rest.response import Response, fields
from gateway.upstream.base import Failure, Refusal, Reply, Result
from tailq.plan import Rescue
from tailq.route import Ask, BestEffort, Load, Router
from tests.tables import promise, table, tier

PLAN = Rescue(primary="large", rescuer="small", after_s=0.02)
TABLE = table(tier("gold", 0.0, promise(PLAN, 0.05)))
REPLY = Reply(b'{"model_name":"small","model_version":"1","outputs":[]}')


def binary(tensor: bytes, version: str = "1") -> Reply:
    """An answer whose tensor is behind its JSON."""
    head = b'{"model_name":"small","model_version":"%s","outputs":[]}' % version.encode()
    return Reply(head + tensor, len(head))


def answer(
    outcome: Outcome,
    variant: str = "large",
    because: BestEffort | None = None,
    result: Result | None = REPLY,
    deadline_s: float | None = None,
) -> Answer:
    """An answer of a rescue."""
    decision = Router(TABLE).decide(Ask(tier="gold", deadline_s=deadline_s), 0.0, Load())
    decision = replace(decision, best_effort=None)
    return Answer(
        outcome, decision, result, 0.03, 0.001, 0.02, variant, because, asked=("large", "small")
    )


def said(response: Response) -> dict[str, str]:
    """Our own fields of a response."""
    return {
        name.decode(): value.decode()
        for name, value in fields(response.head)
        if name.startswith(b"tailq-")
    }


def parameters(response: Response) -> dict[str, Any]:
    """Of the answer's JSON."""
    content = json.loads(b"".join(response.body))
    assert content["model_name"] == "fashion"
    return dict(content["parameters"])


def test_a_rescued_answer_says_so() -> None:
    """The variant is the one whose answer it is, and the promise is kept."""
    response = Renderer(TABLE).response(answer("rescued", "small"), b"1")
    assert response.status == 200
    assert said(response)["tailq-outcome"] == "rescued"
    assert said(response)["tailq-variant"] == "small"
    assert said(response)["tailq-guarantee"].startswith("profile=")
    assert parameters(response)["tailq_outcome"] == "rescued"
    assert parameters(response)["tailq_variant"] == "small"


@pytest.mark.parametrize(
    "because", ["deadline", "load", "fingerprint", "unavailable", "confidence"]
)
def test_best_effort_says_why(because: BestEffort) -> None:
    """No guarantee and no expected quality, but the reason."""
    response = Renderer(TABLE).response(answer("best_effort", because=because), b"1")
    assert said(response)["tailq-guarantee"] == f"none; reason={because}"
    assert "tailq-expected-quality" not in said(response)
    assert "tailq_expected_quality" not in parameters(response)


def test_nothing_is_taken_from_another_answer() -> None:
    """What is remembered is remembered by all that it depends on."""
    ends: tuple[tuple[Outcome, BestEffort | None], ...] = (
        ("on_time", None),
        ("rescued", None),
        ("best_effort", "load"),
        ("best_effort", "unavailable"),
    )
    replies = (REPLY, binary(b"1234"), binary(b"4321"), binary(b"12345678"), binary(b"1234", "2"))
    answers = [
        answer(outcome, variant, because, reply, deadline_s)
        for outcome, because in ends
        for variant in ("large", "small")
        for deadline_s in (None, 0.051, 0.04)
        for reply in replies
    ]
    one = Renderer(TABLE)
    for _ in range(3):  # known from the second time on, used from the third
        for number, each in enumerate(answers):
            name = b"%d" % number
            shared, alone = one.response(each, name), Renderer(TABLE).response(each, name)
            assert (shared.head, shared.body) == (alone.head, alone.body)
    # The two looser deadlines are the same promise, and what a tensor holds is not looked at.
    assert len(one._frames) == len(ends) * 2 * 2 * 3


def test_what_is_remembered_is_bounded() -> None:
    """However many deadlines clients make up."""
    renderer = Renderer(TABLE)
    for number in range(3000):
        each = answer("on_time", result=binary(b"1234"), deadline_s=0.01 + number / 1e6)
        for _ in range(2):
            renderer.response(each, b"1")
    assert 0 < len(renderer._said) <= 256
    assert 0 < len(renderer._frames) <= 256


@pytest.mark.parametrize(
    ("outcome", "result", "status"),
    [
        ("late", None, 504),
        ("shed", None, 503),
        ("failed", None, 503),
        ("failed", Failure("unreachable", "refused"), 503),
        ("failed", Failure("broken", "not HTTP"), 502),
        ("invalid", Refusal("bad shape for 'small'"), 400),
    ],
)
def test_what_is_no_answer_is_a_problem(
    outcome: Outcome, result: Result | None, status: int
) -> None:
    """With the status of its kind, what was applied, and when to try again."""
    response = Renderer(TABLE).response(answer(outcome, result=result), b"mine")
    content = json.loads(b"".join(response.body))
    assert (response.status, content["status"], content["outcome"]) == (status, status, outcome)
    assert said(response)["tailq-tier"] == "gold"
    assert said(response)["tailq-request-id"] == "mine"
    assert (b"retry-after: 1\r\n" in response.head) == (status == 503)
    assert "small" not in content["error"]
