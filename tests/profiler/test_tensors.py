"""Tensors as bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import serialize_byte_tensor, triton_to_np_dtype

from profiler.tensors import BYTES, DTYPES, Tensor, decode, encode


@pytest.mark.parametrize("datatype", [name for name in DTYPES if name != BYTES])
def test_numbers_survive(datatype: str) -> None:
    """Every type is Triton's of that name, and what is encoded is decoded."""
    values = np.array([[0, 1], [1, 0]], dtype=DTYPES[datatype])
    assert values.dtype == triton_to_np_dtype(datatype)
    read = decode(encode(values, datatype), datatype, (2, 2))
    assert read.dtype == values.dtype
    assert np.array_equal(read, values)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5))
def test_texts_are_what_tritons_client_makes_of_them(texts: list[bytes]) -> None:
    """The same bytes as tritonclient's; and they are read back."""
    values = np.empty(len(texts), dtype=np.object_)
    values[:] = texts
    raw = encode(values, BYTES)
    assert raw == serialize_byte_tensor(values).item()
    assert decode(raw, BYTES, (len(texts),)).tolist() == texts


def test_too_few_bytes_are_refused() -> None:
    """They do not make up the shape."""
    with pytest.raises(ValueError, match="reshape"):
        decode(b"\0" * 8, "FP32", (3,))


@given(st.lists(st.floats(width=32), min_size=1, max_size=5))
def test_whole_numbers_are_held_only_if_nothing_is_lost(values: list[float]) -> None:
    """Real tensors take any number; those of bytes only whole ones from 0 to 255; texts, none."""
    given_ = np.array(values, dtype=np.float32)
    assert Tensor("x", "FP16", (-1,)).holds(given_)
    fits = all(0 <= value <= 255 and value == int(value) for value in values)
    assert Tensor("x", "UINT8", (-1,)).holds(given_) == fits
    assert not Tensor("x", BYTES, (-1,)).holds(given_)


def test_texts_are_held_by_texts_only() -> None:
    """A number is not read from a text."""
    texts = np.array([b"1"], dtype=np.object_)
    assert Tensor("x", BYTES, (1,)).holds(texts)
    assert not Tensor("x", "FP32", (1,)).holds(texts)


def test_shapes_fit_where_sizes_are_free() -> None:
    """-1 is any size; the number of dimensions must agree."""
    tensor = Tensor("x", "FP32", (-1, 2))
    assert tensor.takes((5, 2))
    assert not tensor.takes((5, 3))
    assert not tensor.takes((2,))
