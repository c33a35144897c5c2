"""Splitting and joining messages by hand, against a protobuf library."""

from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2 as theirs

from gateway.grpc import wire
from tests.gateway.grpc.messages import mutated, requests

SIZES = st.sampled_from([0, 1, 127, 128, 129, 16_383, 16_384, 70_000])


@given(requests())
def test_a_split_request_has_its_head_and_its_tensors(request: theirs.ModelInferRequest) -> None:
    """The tensors are those of the message; the head is the message without them."""
    split = wire.split(request.SerializeToString())
    assert split is not None
    head, tensors = split
    assert [bytes(tensor) for tensor in tensors] == list(request.raw_input_contents)
    request.ClearField("raw_input_contents")
    assert theirs.ModelInferRequest.FromString(head) == request


@given(st.lists(SIZES, max_size=3))
def test_lengths_of_every_size_are_read(sizes: list[int]) -> None:
    """Lengths take one byte, two or three."""
    request = theirs.ModelInferRequest(raw_input_contents=[bytes(size) for size in sizes])
    split = wire.split(request.SerializeToString())
    assert split is not None
    assert [len(tensor) for tensor in split[1]] == sizes


@given(mutated(requests()) | st.binary(max_size=64))
def test_what_is_split_means_the_same_as_what_is_parsed(data: bytes) -> None:
    """Whatever the bytes are: split as a protobuf library would, or left to it."""
    split = wire.split(data)
    if split is None:
        return
    head, tensors = split
    try:
        whole = theirs.ModelInferRequest.FromString(data)
    except DecodeError:
        whole = None
    try:
        parsed = theirs.ModelInferRequest.FromString(head)
    except DecodeError:
        assert whole is None
        return
    assert not parsed.raw_input_contents
    parsed.raw_input_contents.extend(map(bytes, tensors))
    assert whole is not None
    assert parsed.SerializeToString(deterministic=True) == whole.SerializeToString(
        deterministic=True
    )


def test_a_request_of_another_order_is_left_to_be_parsed() -> None:
    """Tensors before the rest are protobuf too, but nobody sends them so."""
    name = theirs.ModelInferRequest(model_name="a").SerializeToString()
    tensor = theirs.ModelInferRequest(raw_input_contents=[b"x"]).SerializeToString()
    assert wire.split(tensor + name) is None
    assert wire.split(name + tensor) is not None


@given(st.lists(SIZES, max_size=3))
def test_a_joined_answer_is_a_message(sizes: list[int]) -> None:
    """Head and tensors make one ModelInferResponse."""
    head = theirs.ModelInferResponse(model_name="a", id="b")
    joined = wire.join(head.SerializeToString(), [bytes(size) for size in sizes])
    head.raw_output_contents.extend([bytes(size) for size in sizes])
    assert theirs.ModelInferResponse.FromString(joined) == head
