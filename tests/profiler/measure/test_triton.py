"""What is learnt of models from a real Triton."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import closing

import pytest

from deploy.embedded import EmbeddedTriton
from profiler.errors import ModelError, TritonGone
from profiler.measure.bench import choose_models
from profiler.measure.triton import Triton
from profiler.tensors import Tensor
from tailq.fingerprint import fingerprint

pytestmark = pytest.mark.triton


@pytest.fixture
def client(triton: EmbeddedTriton) -> Iterator[Triton]:
    """A connection to the server with the toy models."""
    with closing(Triton(triton.endpoints.grpc)) as connection:
        yield connection


def http(triton: EmbeddedTriton, path: str) -> dict[str, object]:
    with urllib.request.urlopen(f"http://{triton.endpoints.http}/v2/{path}") as answer:
        said: dict[str, object] = json.load(answer)
        return said


def test_a_variant_is_described_by_its_metadata(client: Triton) -> None:
    """Input, output, batch and version are what Triton says."""
    variant = client.variant("toy_softmax")
    assert variant.inputs == (Tensor("images", "FP32", (1, 4, 4)),)
    assert variant.outputs == (Tensor("scores", "FP32", (3,)),)
    assert (variant.batch, variant.version, variant.leading) == (4, "1", True)


def test_fingerprints_agree_between_http_and_grpc(triton: EmbeddedTriton, client: Triton) -> None:
    """Whoever asks in whichever way finds the same model."""
    metadata = http(triton, "models/toy_logits")
    config = http(triton, "models/toy_logits/config")
    asked = fingerprint("toy_logits", "1", str(metadata["platform"]), config)
    assert client.variant("toy_logits").fingerprint == asked
    assert client.variant("toy_softmax").fingerprint != asked


def test_variants_of_a_service_are_found_by_name(client: Triton) -> None:
    """All ready models called after the service, unless some are named."""
    assert choose_models(client, "toy", []) == ["toy_logits", "toy_softmax"]
    assert choose_models(client, "toy", ["other", "other"]) == ["other"]
    with pytest.raises(ModelError, match=r"no model called cat_….*ready are: toy_logits"):
        choose_models(client, "cat", [])


def test_a_missing_model_is_told_with_those_there_are(client: Triton) -> None:
    """The error names the models that are ready."""
    with pytest.raises(ModelError, match=r"no model 'toy_huge'; ready are: toy_logits, toy_soft"):
        client.variant("toy_huge")


def test_a_model_that_is_not_served_is_noticed(client: Triton) -> None:
    """Checking passes while all models are ready, and names the one that is not."""
    client.check_serving(["toy_logits"])
    with pytest.raises(TritonGone, match="toy_huge"):
        client.check_serving(["toy_logits", "toy_huge"])


def test_nobody_at_the_address_is_told(nobody: str) -> None:
    """The error names the address."""
    with (
        closing(Triton(nobody)) as absent,
        pytest.raises(TritonGone, match=rf"{nobody} \(gRPC\) does not answer"),
    ):
        absent.server()
