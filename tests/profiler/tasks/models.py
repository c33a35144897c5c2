"""Small models of every task that compute something: a detector, transcribers, recommenders."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from tests.deploy.embedded.models import add_model, build

SIDE = 32
COLOURS = 3
ITEMS = 12
PHRASES = ["silence", "turn the light on", "turn the light off", "please stop"]
USERS = 20

_random = np.random.default_rng(7)
TASTE = _random.normal(size=(USERS, ITEMS)).astype(np.float32)
CONTEXT = _random.normal(size=(2, ITEMS)).astype(np.float32)


def write_repository(folder: Path) -> Path:
    """All of them, by their tasks: see_…, hear_…, say_…, offer_…."""
    _detector(folder, "see_boxes")
    _transcriber(folder, "hear_as_is", scale=1.0)
    _transcriber(folder, "hear_louder", scale=2.0)
    _translator(folder, "say_words")
    _recommender(folder, "offer_scores", items=False)
    _recommender(folder, "offer_items", items=True)
    return folder


def _detector(folder: Path, name: str) -> None:
    """One box for each colour channel: around all its bright pixels; surer the more there are."""
    nodes = [
        helper.make_node("Greater", ["images", "half"], ["bright"]),
        helper.make_node("Cast", ["bright"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["mask"], ["columns"], axes=[2], keepdims=0),
        helper.make_node("ReduceMax", ["mask"], ["rows"], axes=[3], keepdims=0),
    ]
    for side, source, last in (
        ("left", "columns", 0),
        ("top", "rows", 0),
        ("right", "columns", 1),
        ("bottom", "rows", 1),
    ):
        nodes += [
            helper.make_node(
                "ArgMax", [source], [f"{side}_at"], axis=2, select_last_index=last, keepdims=1
            ),
            helper.make_node("Cast", [f"{side}_at"], [f"{side}_f"], to=TensorProto.FLOAT),
            helper.make_node("Add", [f"{side}_f", "one" if last else "zero"], [side]),
        ]
    nodes += [
        helper.make_node("Concat", ["left", "top", "right", "bottom"], ["boxes"], axis=2),
        helper.make_node("ReduceMean", ["mask"], ["scores"], axes=[2, 3], keepdims=0),
        helper.make_node("Mul", ["scores", "zero"], ["nothing"]),
        helper.make_node("Cast", ["nothing"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Add", ["whole", "numbers"], ["classes"]),
    ]
    model = build(
        nodes,
        [("images", TensorProto.FLOAT, ("N", COLOURS, SIDE, SIDE))],
        # Not in the order of the convention: they are found by their names.
        [
            ("classes", TensorProto.INT64, ("N", COLOURS)),
            ("scores", TensorProto.FLOAT, ("N", COLOURS)),
            ("boxes", TensorProto.FLOAT, ("N", COLOURS, 4)),
        ],
        half=np.array(0.5, np.float32),
        zero=np.array(0.0, np.float32),
        one=np.array(1.0, np.float32),
        numbers=np.arange(COLOURS, dtype=np.int64),
    )
    add_model(folder, name, model, "max_batch_size: 8\n")


def _transcriber(folder: Path, name: str, *, scale: float) -> None:
    """Audio of any length to the phrase for its loudness, told by its mean over `length`."""
    nodes = [
        helper.make_node("Abs", ["audio"], ["loud"]),
        helper.make_node("ReduceSum", ["loud"], ["sum"], keepdims=1),
        helper.make_node("Cast", ["length"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("Mul", ["mean", "scale"], ["level"]),
        helper.make_node("Clip", ["level", "low", "high"], ["held"]),
        helper.make_node("Cast", ["held"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["phrases", "index"], ["text"]),
        helper.make_node("Sigmoid", ["level"], ["confidence"]),
    ]
    model = build(
        nodes,
        [("audio", TensorProto.FLOAT, ("n",)), ("length", TensorProto.INT32, (1,))],
        [("text", TensorProto.STRING, (1,)), ("confidence", TensorProto.FLOAT, (1,))],
        scale=np.array(scale * len(PHRASES), np.float32),
        low=np.array(0.0, np.float32),
        high=np.array(len(PHRASES) - 1, np.float32),
        phrases=np.array(PHRASES, dtype=np.object_),
    )
    add_model(folder, name, model, "max_batch_size: 0\n")


def _translator(folder: Path, name: str) -> None:
    """One word into another: a table."""
    node = helper.make_node(
        "LabelEncoder",
        ["word"],
        ["translated"],
        domain="ai.onnx.ml",
        keys_strings=["bonjour", "merci"],
        values_strings=["hello", "thank you"],
        default_string="what",
    )
    graph = helper.make_graph(
        [node],
        "words",
        [helper.make_tensor_value_info("word", TensorProto.STRING, ["N", 1])],
        [helper.make_tensor_value_info("translated", TensorProto.STRING, ["N", 1])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    add_model(folder, name, model, "max_batch_size: 4\n")


def _recommender(folder: Path, name: str, *, items: bool) -> None:
    """The taste of a user and a context to the scores of all items, or to the ranked items."""
    nodes = [
        helper.make_node("Gather", ["taste", "user"], ["gathered"]),
        helper.make_node("Squeeze", ["gathered", "axis"], ["own"]),
        helper.make_node("MatMul", ["context", "weights"], ["here"]),
        helper.make_node("Add", ["own", "here"], ["scores"]),
    ]
    output = ("scores", TensorProto.FLOAT, ("N", ITEMS))
    constants: dict[str, NDArray[np.generic]] = {
        "taste": TASTE,
        "weights": CONTEXT,
        "axis": np.array([1], np.int64),
    }
    if items:
        nodes.append(helper.make_node("TopK", ["scores", "k"], ["best", "ranked"]))
        output = ("ranked", TensorProto.INT64, ("N", ITEMS))
        constants["k"] = np.array([ITEMS], np.int64)
    model = build(
        nodes,
        [("user", TensorProto.INT64, ("N", 1)), ("context", TensorProto.FLOAT, ("N", 2))],
        [output],
        **constants,
    )
    add_model(folder, name, model, "max_batch_size: 8\n")
