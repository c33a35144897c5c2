"""Heads that are known from before."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.heads import Heads

END = b"\r\n\r\n"
HEAD = b"POST / HTTP/1.1\r\ncontent-length: 3"


def learnt(*datas: bytes, length: int = 3) -> Heads[str]:
    """Heads to which each of these came twice."""
    heads = Heads[str]()
    for data in (*datas, *datas):
        heads.learn(data, "known", length)
    return heads


def test_a_learnt_head_is_found_with_another_body() -> None:
    """The same bytes before the body mean the same; the body is whatever came."""
    heads = learnt(HEAD + END + b"abc")
    assert heads.find(HEAD + b"\r\n\r\nxyz") == ("known", b"xyz")


def test_only_one_whole_message_is_found() -> None:
    """Half a body, half a head, another head or a second message: that is the parser's."""
    heads = learnt(HEAD + END + b"abc")
    for data in (
        b"",
        HEAD,
        HEAD + b"\r\n\r\n",
        HEAD + b"\r\n\r\nab",
        HEAD + b"\r\n\r\nabcPOST",
        HEAD + b"0\r\n\r\nabc",
        b"\r\n" + HEAD + b"\r\n\r\nabc",
    ):
        assert heads.find(data) is None


def test_what_is_not_one_whole_message_is_not_learnt() -> None:
    """The length must be what follows the head, and the head not too long."""
    long = b"a" * 3000 + END
    assert learnt(HEAD + END + b"abc", length=2).find(HEAD + END + b"abc") is None
    assert learnt(HEAD, length=0).find(HEAD) is None
    assert learnt(long, length=0).find(long) is None


def test_what_came_once_is_not_kept() -> None:
    """Heads that name one request push none out that recur, however many there are."""
    heads = learnt(HEAD + END + b"abc")
    for number in range(100_000):
        heads.learn(b"x-request-id: %d\r\n\r\n" % number, "once", 0)
    assert heads.find(HEAD + END + b"xyz") == ("known", b"xyz")
    assert heads.find(b"x-request-id: 99999\r\n\r\n") is None
    assert len(heads._known._seen) <= 4096


def test_memory_is_bounded() -> None:
    """However many heads recur, few are kept, and the last one is among them."""
    heads = Heads[int]()
    for number in range(10_000):
        for _ in range(2):
            heads.learn(b"%d\r\n\r\n" % number, number, 0)
    kept = [number for number in range(10_000) if heads.find(b"%d\r\n\r\n" % number)]
    assert kept[-1] == 9999
    assert len(kept) <= 256


@given(st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=5))))
def test_found_is_what_was_learnt(messages: list[tuple[bytes, bytes]]) -> None:
    """Whatever the bytes, a find gives the meaning of a message with that very head."""
    heads = Heads[bytes]()
    for head, body in messages:
        data = head + b"\r\n\r\n" + body
        heads.learn(data, data[: len(data) - len(body)], len(body))
        found = heads.find(data)
        assert found is None or b"".join(found) == data
