"""What a transport over TLS is given, and when."""

import asyncio
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from gateway.paced import SLICE, Paced


class Transport:
    """Has enough after so many bytes, until it is emptied."""

    def __init__(self, room: int) -> None:
        self.paced = Paced(cast("asyncio.Transport", self))
        self.taken = bytearray()
        self.closed = False
        self._room = room
        self._held = 0

    def write(self, data: memoryview) -> None:
        """See asyncio.WriteTransport. It never holds more than a slice beyond its room."""
        assert not self.closed
        self.taken += data
        self._held += len(data)
        assert self._held < self._room + SLICE + 1
        if self._held >= self._room:
            self.paced.pause()

    def empty(self) -> bool:
        """The other side has taken all; whether its protocol may go on."""
        self._held = 0
        return self.paced.resume()

    def get_write_buffer_size(self) -> int:
        """See asyncio.WriteTransport."""
        return self._held

    def is_closing(self) -> bool:
        """See asyncio.BaseTransport."""
        return self.closed

    def close(self) -> None:
        """See asyncio.BaseTransport."""
        self.closed = True

    abort = close


SIZES = st.lists(st.integers(1, 5 * SLICE), min_size=1, max_size=8)


@given(SIZES, st.integers(1, 4 * SLICE))
def test_all_arrives_in_order_and_then_it_closes(sizes: list[int], room: int) -> None:
    """However large what is written, and however little the other side takes at once."""
    transport = Transport(room)
    parts = [bytes([number]) * size for number, size in enumerate(sizes)]
    for part in parts:
        transport.paced.write(part)
    transport.paced.close()
    assert transport.paced.is_closing()
    transport.paced.write(b"too late")
    while not transport.closed:
        transport.empty()
    assert transport.taken == b"".join(parts)


@given(st.integers(1, 9 * SLICE), st.integers(1, 4 * SLICE))
def test_the_protocol_goes_on_when_all_was_taken(size: int, room: int) -> None:
    """Until then all that was not taken is in sight."""
    transport = Transport(room)
    transport.paced.write(bytes(size))
    assert transport.paced.get_write_buffer_size() == size
    while not transport.empty():
        left = size - len(transport.taken)
        assert left <= transport.paced.get_write_buffer_size() <= left + room + SLICE
    assert len(transport.taken) == size


def test_what_is_cut_off_is_let_go() -> None:
    """By this side or by the other: nothing more is given, nothing kept."""
    for end in (Transport.abort, lambda transport: transport.paced.abort()):
        transport = Transport(1)
        transport.paced.write(bytes(5 * SLICE))
        end(transport)
        assert transport.empty()
        assert len(transport.taken) == SLICE
        assert transport.paced.get_write_buffer_size() == 0
