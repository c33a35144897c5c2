"""What an answer says of itself: how sure its model is, and of which class."""

import gzip
import http.client
import json
import math
import zlib
from collections.abc import Callable
from contextlib import closing
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from deploy.embedded.server import EmbeddedTriton
from gateway.dataplane import Reading
from gateway.reading import AnswerReader
from gateway.upstream.base import Reply
from profiler.tasks.classification import predict
from tailq.tier import ConfidenceIn, Served

Kind = Literal["softmax", "maximum"]
LOGITS = arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.sampled_from([2, 3, 10, 99, 100, 101, 300])),
    elements=st.floats(-50, 50, width=32),
)


def answer_reader(
    kind: Kind = "softmax", *, classes: bool = False, max_bytes: int = 64 << 20
) -> AnswerReader:
    """Of variant `m`, whose output `logits` tells its confidence."""
    where = ConfidenceIn(output="logits", kind=kind)
    served = Served(service_s=1.0, confidence=where, classes=classes)
    return AnswerReader({"m": served}, max_bytes)


def reader(
    kind: Kind = "softmax", max_bytes: int = 64 << 20
) -> Callable[[str, Reply], float | None]:
    """The confidence that a plan goes by: of the least sure sample."""
    read = answer_reader(kind, max_bytes=max_bytes)

    def least(variant: str, reply: Reply) -> float | None:
        reading = read(variant, reply)
        return None if reading is None else min(reading.confidence)

    return least


def output(values: NDArray[Any], datatype: str, **more: Any) -> dict[str, Any]:
    """An output of this shape; `more`: its other members."""
    return {"name": "logits", "datatype": datatype, "shape": list(values.shape), **more}


def binary(*tensors: tuple[str, str, list[int], bytes]) -> Reply:
    """An answer with binary tensors: name, datatype, shape, bytes."""
    outputs = [
        {
            "name": name,
            "datatype": datatype,
            "shape": shape,
            "parameters": {"binary_data_size": len(data)},
        }
        for name, datatype, shape, data in tensors
    ]
    head = json.dumps({"model_name": "m", "model_version": "1", "outputs": outputs}).encode()
    return Reply(head + b"".join(data for *_, data in tensors), len(head))


def of(values: NDArray[Any], datatype: str = "FP32") -> Reply:
    """An answer with just these numbers."""
    return binary(("logits", datatype, list(values.shape), values.tobytes()))


@given(LOGITS)
def test_it_is_what_the_profile_recorded(logits: NDArray[np.float32]) -> None:
    """The confidence that thresholds were chosen by; of a batch that of the least sure sample."""
    expected = predict(logits, probabilities=False).confidence.min()
    found = reader()("m", of(logits))
    assert found is not None
    assert found == pytest.approx(float(expected), rel=1e-6)


@given(LOGITS)
def test_a_maximum_is_the_greatest_probability(values: NDArray[np.float32]) -> None:
    """Of a model that ends in a softmax; kept within [0, 1] for others."""
    probabilities = np.abs(values) / (np.abs(values).sum(axis=1, keepdims=True) + 1)
    expected = predict(probabilities, probabilities=True).confidence.min()
    assert reader("maximum")("m", of(probabilities)) == pytest.approx(float(expected))
    clipped = float(np.clip(values.max(axis=1).min(), 0, 1))
    assert reader("maximum")("m", of(values)) == clipped


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 3), st.integers(0, 130)),
        elements=st.floats(allow_nan=True, allow_infinity=True),
    ),
    st.sampled_from(["softmax", "maximum"]),
)
def test_any_numbers_give_a_probability_or_nothing(values: NDArray[np.float64], kind: Kind) -> None:
    """Nothing exactly where one is not finite, or no sample (or one number, of a softmax)."""
    found = reader(kind)("m", of(values, "FP64"))
    samples, columns = values.shape
    tells = samples > 0 and bool(np.isfinite(values).all())
    if kind == "softmax":
        tells = tells and columns > 1
    assert (found is not None) == tells
    assert found is None or 0 <= found <= 1
    data = {"outputs": [output(values, "FP64", data=values.ravel().tolist())]}
    assert reader(kind)("m", Reply(json.dumps(data).encode())) == pytest.approx(found)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_detector_that_finds_nothing_is_sure_of_nothing(samples: int) -> None:
    """As the profiler has it: the threshold of a cascade decides, and the answer is a known one."""
    nothing = np.zeros((samples, 0), np.float32)
    expected = [max(row.tolist(), default=0.0) for row in nothing]  # as in profiler/tasks/detection
    assert reader("maximum")("m", of(nothing)) == min(expected)
    empty = Reply(json.dumps({"outputs": [output(nothing, "FP32", data=[])]}).encode())
    assert reader("maximum")("m", empty) == min(expected)


@pytest.mark.parametrize("classes", [10, 200])
@pytest.mark.parametrize("datatype", ["FP16", "BF16", "FP32", "FP64"])
def test_every_floating_type_is_read(datatype: str, classes: int) -> None:
    """Few numbers in plain Python, many by numpy: the same figure."""
    exact = np.zeros((1, classes), np.float32)
    exact[0, 3] = 4.0
    if datatype == "BF16":
        raw: NDArray[Any] = (exact.view(np.uint32) >> 16).astype(np.uint16)
    else:
        raw = exact.astype({"FP16": np.float16, "FP32": np.float32, "FP64": np.float64}[datatype])
    expected = math.exp(4) / (math.exp(4) + classes - 1)
    assert reader()("m", of(raw, datatype)) == pytest.approx(expected, rel=1e-9)


def test_the_output_is_found_among_others() -> None:
    """Behind other tensors, whatever they are; and a known head is known again."""
    logits = np.array([[0.0, 3.0]], np.float32)
    reply = binary(
        ("label", "BYTES", [1], b"\5\0\0\0shirt"),
        ("logits", "FP32", [1, 2], logits.tobytes()),
        ("other", "FP32", [1, 2], b"\0" * 8),
    )
    read = reader()
    first = read("m", reply)
    assert first == read("m", reply) == pytest.approx(1 / (1 + math.exp(-3)))
    other = bytearray(reply.body)
    other[-16:-8] = np.array([[0.0, 0.0]], np.float32).tobytes()
    assert read("m", Reply(bytes(other), reply.json_length)) == 0.5


def test_json_beside_binary_is_read() -> None:
    """A client may ask for some outputs in JSON and for others in binary."""
    values = np.array([[0.0, 0.0]])
    outputs = [
        {"name": "x", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}},
        output(values, "FP32", data=[[0.0, 0.0]]),
    ]
    head = json.dumps({"outputs": outputs}).encode()
    assert reader()("m", Reply(head + b"\0" * 4, len(head))) == 0.5


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_answers_are_read_within_a_bound(pack: Any) -> None:
    """Gzip or deflate, as the data say; a bomb is not."""
    plain = of(np.array([[0.0, 0.0]], np.float32))
    packed = Reply(pack(plain.body), plain.json_length, b"gzip")
    assert reader()("m", packed) == 0.5
    assert reader(max_bytes=len(plain.body) - 1)("m", packed) is None
    assert reader()("m", Reply(packed.body[:-9], plain.json_length, b"gzip")) is None
    assert reader()("m", Reply(b"nonsense", None, b"br")) is None


def head(**changes: Any) -> Reply:
    """A binary answer whose output has other members than it should."""
    members = {
        "name": "logits",
        "datatype": "FP32",
        "shape": [1, 2],
        "parameters": {"binary_data_size": 8},
        **changes,
    }
    text = json.dumps({"outputs": [members]}).encode()
    return Reply(text + b"\0" * 8, len(text))


@pytest.mark.parametrize(
    "reply",
    [
        head(name="other"),
        head(datatype="INT64"),
        head(datatype="BYTES"),
        head(datatype=None),
        head(shape=[1, 3]),
        head(shape=[0, 2]),
        head(shape=[-1, -2]),
        head(shape=[]),
        head(shape=["1", 2]),
        head(shape=[1.0, 2.0]),
        head(shape=None),
        head(parameters=None),
        head(parameters={"binary_data_size": "8"}),
        head(parameters={"binary_data_size": 800}, shape=[1, 200]),
        head(parameters={}, data=["a", "b"]),
        head(parameters={}, data=[[1.0], [1.0, 2.0]]),
        head(parameters={}, data=[10**400, 1]),
        head(parameters={}, data=None),
        Reply(b"not JSON"),
        Reply(b"[]"),
        Reply(b'{"outputs": 1}'),
        Reply(b'{"outputs": [1]}'),
        Reply(b"[" * 100_000),
        Reply(b""),
        Reply(b"", 0),
        Reply(b"{}", 500),
    ],
)
def test_what_is_not_there_or_not_numbers_is_none(reply: Reply) -> None:
    """Whatever upstream sends: no confidence, and no error."""
    read = reader()
    assert read("m", reply) is None
    assert read("m", reply) is None


def test_a_variant_without_a_confidence_has_none() -> None:
    """Nor has one that is not in the table."""
    read = AnswerReader({"m": Served(service_s=1.0)})
    reply = of(np.array([[0.0, 0.0]], np.float32))
    assert read("m", reply) is None
    assert read("n", reply) is None


@given(LOGITS, st.sampled_from(["FP32", "FP64"]), st.booleans())
def test_each_sample_of_a_batch_is_told(
    logits: NDArray[np.float32], datatype: str, classes: bool
) -> None:
    """As the profile has confidence and class of each; no class where it answers with none."""
    expected = predict(logits, probabilities=False)
    values = logits.astype({"FP32": np.float32, "FP64": np.float64}[datatype])
    read = answer_reader(classes=classes)
    for reply in (
        of(values, datatype),
        Reply(json.dumps({"outputs": [output(values, datatype, data=values.tolist())]}).encode()),
    ):
        reading = read("m", reply)
        assert reading is not None
        assert reading.confidence == pytest.approx(expected.confidence.tolist(), rel=1e-6)
        assert reading.classes == (tuple(logits.argmax(axis=1).tolist()) if classes else None)


def test_no_numbers_are_no_class() -> None:
    """Of a detector that finds nothing, for each sample of the batch."""
    for samples in (1, 2):
        reading = answer_reader("maximum", classes=True)("m", of(np.zeros((samples, 0), "f4")))
        assert reading == Reading((0.0,) * samples)


@given(
    st.lists(
        st.tuples(
            arrays(
                np.float32,
                st.tuples(st.sampled_from([0, 1, 1, 1, 2]), st.sampled_from([0, 1, 2, 10, 101])),
                elements=st.floats(width=32) | st.floats(-20, 20, width=32),
            ),
            st.sampled_from(["FP32", "FP64", "INT64"]),
            st.booleans(),
        ),
        max_size=12,
    ),
    st.sampled_from(["softmax", "maximum"]),
    st.booleans(),
)
def test_many_at_once_are_read_as_one_by_one(
    said: list[tuple[NDArray[np.float32], str, bool]], kind: Kind, classes: bool
) -> None:
    """Whatever their types and shapes are, and whether all of it can be read."""
    read, replies = answer_reader(kind, classes=classes), []
    for values, datatype, cut in said:
        reply = of(values.astype({"FP64": "f8"}.get(datatype, "f4")), datatype)
        replies.append(Reply(reply.body[:-1], reply.json_length) if cut else reply)
    many = read.many("m", replies)
    for together, alone in zip(many, [read("m", reply) for reply in replies], strict=True):
        assert (together is None) == (alone is None)
        if together is not None and alone is not None:
            assert together.classes == alone.classes
            assert together.confidence == pytest.approx(alone.confidence, rel=1e-12)
    assert read.many("elsewhere", replies) == [None] * len(replies)


@pytest.mark.parametrize("pack", [None, gzip.compress])
def test_large_json_is_read_for_a_plan_only(pack: Any) -> None:
    """Nobody has to wait while a large answer is parsed of which only statistics are made."""
    outputs = [output(np.zeros((20_000, 10)), "FP32", data=[0.0] * 200_000)]
    body = json.dumps({"outputs": outputs}).encode()
    large = Reply(body) if pack is None else Reply(pack(body), None, b"gzip")
    read = answer_reader("maximum")
    assert read("m", large) == Reading((0.0,) * 20_000)
    assert read.many("m", [large, of(np.array([[0.5]], np.float32))]) == [None, Reading((0.5,))]
    beside = Reply(body + bytes(4), len(body))  # another output is binary
    assert read("m", beside) == Reading((0.0,) * 20_000)
    assert read.many("m", [beside]) == [None]


def test_what_is_remembered_of_heads_is_bounded() -> None:
    """Requests with an id of their own have answers with a head of their own."""
    read = answer_reader()
    for number in range(1000):
        outputs = [output(np.zeros((1, 2)), "FP32", parameters={"binary_data_size": 8})]
        text = json.dumps({"id": str(number), "outputs": outputs}).encode()
        assert read("m", Reply(text + b"\0" * 8, len(text))) == Reading((0.5,))
    assert len(read._layouts) <= 256


@pytest.mark.triton
@pytest.mark.parametrize("encoding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("batch", [1, 3])
def test_an_answer_of_a_real_triton_is_read(
    triton: EmbeddedTriton, batch: int, binary: bool, encoding: str | None
) -> None:
    """However it is packed, the confidence is that of the logits that its own client reads."""
    images = np.random.default_rng(batch).random((batch, 1, 28, 28), dtype=np.float32)
    tensor = InferInput("images", images.shape, "FP32")
    tensor.set_data_from_numpy(images)
    client = InferenceServerClient
    outputs = [InferRequestedOutput("logits", binary_data=binary)]
    body, length = client.generate_request_body([tensor], outputs=outputs)
    headers = {"Inference-Header-Content-Length": str(length)}
    if encoding is not None:
        headers["Accept-Encoding"] = encoding
    with closing(http.client.HTTPConnection(triton.endpoints.http)) as connection:
        connection.request("POST", "/v2/models/fashion_nano/infer", body, headers)
        response = connection.getresponse()
        content, said = response.read(), response.getheader("Inference-Header-Content-Length")
        assert response.getheader("Content-Encoding") == encoding
    head_length = None if said is None else int(said)
    assert (head_length is not None) == binary
    result = client.parse_response_body(
        content, header_length=head_length, content_encoding=encoding
    )
    expected = predict(result.as_numpy("logits"), probabilities=False).confidence.min()
    reply = Reply(content, head_length, None if encoding is None else encoding.encode())
    assert reader()("m", reply) == pytest.approx(float(expected), rel=1e-6)
