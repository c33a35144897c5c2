"""The fingerprint of a served model."""

from tailq.fingerprint import fingerprint

CONFIG = {
    "name": "m",
    "max_batch_size": 32,
    "input": [{"name": "x", "dims": ["1", "28"]}],
    "parameters": {"threads": {"string_value": "1"}},
}


def test_order_of_fields_does_not_matter() -> None:
    """The same configuration in another order has the same fingerprint."""
    reordered = dict(reversed(CONFIG.items()))
    assert fingerprint("m", "1", "onnx", CONFIG) == fingerprint("m", "1", "onnx", reordered)


def test_spelled_out_defaults_do_not_matter() -> None:
    """HTTP and gRPC know different defaults, and write 64-bit numbers differently."""
    http = {
        **CONFIG,
        "input": [{"name": "x", "dims": [1, 28], "optional": False, "format": ""}],
        "ensemble": None,
        "metrics": [],
    }
    assert fingerprint("m", "1", "onnx", CONFIG) == fingerprint("m", "1", "onnx", http)


def test_what_changes_the_served_model_changes_the_fingerprint() -> None:
    """Name, version, platform and every setting count."""
    original = fingerprint("m", "1", "onnx", CONFIG)
    others = {
        fingerprint("n", "1", "onnx", CONFIG),
        fingerprint("m", "2", "onnx", CONFIG),
        fingerprint("m", "1", "trt", CONFIG),
        fingerprint("m", "1", "onnx", {**CONFIG, "max_batch_size": 16}),
        fingerprint("m", "1", "onnx", {**CONFIG, "parameters": {}}),
        fingerprint("m", "1", "onnx", {**CONFIG, "dynamic_batching": {"max_queue_delay": 0}}),
    }
    assert original not in others
    assert len(others) == 6
