"""Content of PEM files, on its way to workers and into contexts."""

import ssl

from hypothesis import given
from hypothesis import strategies as st

from gateway import pem
from gateway.pem import Pem

PART = st.binary(max_size=40)


@given(st.none() | st.builds(Pem, PART, PART, st.none() | PART))
def test_workers_get_what_was_read(given: Pem | None) -> None:
    """Byte for byte; and a key is never shown."""
    again = pem.decode(pem.encode(given))
    assert again == given
    assert repr(given) == "None" or repr(given).startswith("<gateway.pem.Pem object")


def test_a_context_can_be_replaced() -> None:
    """A connection is by the one that was there when it began."""
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2)]
    made = pem.renewable(contexts[0])
    for present in contexts:
        made.present = present
        side = made.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        assert side.context is present
