"""What Triton's answers mean."""

import pytest

from gateway.upstream.base import Failure, Refusal, Reply
from gateway.upstream.connection import Message
from gateway.upstream.triton import judge, model_path


def said(status: int, error: str = "why") -> Message:
    return Message(status, b'{"error":"%s"}' % error.encode(), None, None)


def test_200_is_a_reply() -> None:
    """Body, length of the JSON part and encoding are handed on."""
    reply = judge(Message(200, b"{}tensor", 2, b"gzip"))
    assert isinstance(reply, Reply)
    assert (reply.body, reply.json_length, reply.encoding) == (b"{}tensor", 2, b"gzip")


@pytest.mark.parametrize("status", [400, 413, 415, 422, 501])
def test_the_requests_mistakes_are_refusals(status: int) -> None:
    """What a client can mend, with what Triton says of it."""
    assert judge(said(status)) == Refusal("why")


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 502, 503, 504])
def test_the_servers_troubles_are_failures(status: int) -> None:
    """What a client cannot mend: a variant that is not loaded, or a Triton that keeps us out."""
    assert judge(said(status)) == Failure("unavailable", "why")


def test_an_internal_error_about_the_requests_json_is_a_refusal() -> None:
    """Triton calls malformed JSON an internal error."""
    text = "Unable to parse 'data': attempt to access JSON non-number as double"
    assert judge(said(500, text)) == Refusal(text)


@pytest.mark.parametrize("status", [204, 301, 304])
def test_other_statuses_are_no_answer(status: int) -> None:
    """The protocol knows none of them."""
    assert judge(Message(status, b"", None, None)) == Failure("broken", f"Triton answered {status}")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"error":1}', b"\xff"])
def test_an_error_without_a_text_is_named_by_its_status(body: bytes) -> None:
    """Whatever the body, there is a detail."""
    assert judge(Message(503, body, None, None)) == Failure("unavailable", "Triton answered 503")


def test_what_triton_says_is_bounded() -> None:
    """It goes into answers and logs, and what a client wrote may stand in it."""
    refusal = judge(said(400, "x" * 100_000))
    assert isinstance(refusal, Refusal)
    assert len(refusal.detail) == 4096


@pytest.mark.parametrize("body", [b"", b"[]", b"no", b' {"a":1}'])
def test_200_without_an_object_is_no_answer(body: bytes) -> None:
    """Triton's answers begin with the brace of one; what is compressed cannot be looked into."""
    found = judge(Message(200, body, None, None))
    assert isinstance(found, Failure)
    assert found.kind == "broken"
    assert isinstance(judge(Message(200, body, None, b"gzip")), Reply)


def test_names_are_escaped_in_paths() -> None:
    """A name from the tier table cannot lead elsewhere."""
    assert model_path("../a b") == "/v2/models/..%2Fa%20b"
