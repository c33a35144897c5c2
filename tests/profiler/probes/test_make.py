"""Samples become probes only where one tensor of each can be sent to whichever variant."""

import numpy as np
import pytest

from profiler.datasets.base import ArrayDataset, Indices, Labels
from profiler.errors import NoProbes
from profiler.measure.wire import Variant
from profiler.probes import make as making
from profiler.probes.make import make, told
from profiler.record.observations import concatenate
from profiler.tensors import Column, Tensor
from tailq.probes import Probes
from tailq.profile import Metric, Profile
from tests.profiler import columns
from tests.profiler.tiers.services import Variant as InTruth
from tests.profiler.tiers.services import population, summary

RIGHT = [[True, True, False, True], [True, False, False, True]]
ANSWERS = columns.answers(RIGHT)
TIMED = concatenate(
    [columns.observations([0.01] * 4, RIGHT[v], [0] * 4, variant=v) for v in (0, 1)]
)
PIXELS = np.arange(16, dtype=np.float32).reshape(4, 4)
DATA = ArrayDataset("toy", PIXELS, np.ones(4, np.int64), "0" * 64)


def profile(metric: str = "top-1") -> Profile:
    """A profile of two variants; what it says of their quality is of no matter here."""
    family = [InTruth(name, 0.75, 0.01) for name in columns.VARIANTS]
    said = summary(population(family, np.random.default_rng(0), 4))
    named = Metric(task="classification", name=metric, additive=True)
    return said.model_copy(update={"metric": named})


def variant(name: str = "fast", datatype: str = "FP32", *, leading: bool = True) -> Variant:
    return Variant(name, (Tensor("pixels", datatype, (4,)),), (), "1", name, 1, leading)


def made(*variants: Variant, metric: str = "top-1") -> Probes:
    return make(profile(metric), ANSWERS, TIMED, DATA, variants)


@pytest.mark.parametrize(("leading", "shape"), [(True, (4, 1, 4)), (False, (4, 4))])
def test_a_sample_is_the_whole_tensor_of_a_request(leading: bool, shape: tuple[int, ...]) -> None:
    """With a batch of one in front where the models have batches, as their own type."""
    found = made(*(variant(name, "UINT8", leading=leading) for name in columns.VARIANTS))
    assert found.inputs["pixels"].shape == shape
    assert found.inputs["pixels"].dtype == np.uint8
    assert found.inputs["pixels"].ravel().tolist() == list(range(16))
    assert found.datatypes == {"pixels": "UINT8"}
    assert found.labels.tolist() == [1, 1, 1, 1]
    assert {name: list(classes) for name, classes in found.answers.items()} == {
        "fast": [1, 1, 0, 1],
        "good": [1, 0, 0, 1],
    }


def test_how_near_they_are_is_that_of_the_worst_variant() -> None:
    """Half of the probes are right where the profile says three quarters: 25 points."""
    said = profile()
    variants = [each.model_copy(update={"quality": 0.75}) for each in said.variants]
    text = told(made(variant()), said.model_copy(update={"variants": variants}))
    assert "4 probes" in text
    assert "within 25.00 points of that on all 4 samples" in text


def test_large_samples_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as fit into the memory that each process of the gateway gives them, one at least."""
    for most_bytes, count in ((40, 2), (3, 1)):
        monkeypatch.setattr(making, "_MOST_BYTES", most_bytes)
        assert made(variant()).labels.size == count


def test_top_5_has_no_probes() -> None:
    """Five classes are no class."""
    with pytest.raises(NoProbes, match=r"not top-5 of classification"):
        made(variant(), metric="top-5")


def test_variants_with_inputs_of_their_own_have_no_probes() -> None:
    """The gateway sends one request to whichever of them."""
    with pytest.raises(NoProbes, match="do not take the same inputs"):
        made(variant(), variant("good", "FP16"))


class Odd:
    """Samples that are not alike, or no numbers."""

    name = "odd"
    sha256 = ""

    def __init__(self, columns_: list[Column]) -> None:
        self._columns = columns_
        self.labels: Labels = np.ones(4, np.int64)

    def tensors(self, samples: Indices, _inputs: object) -> list[Column]:
        return [[column[i] for i in samples.tolist()] for column in self._columns]


def test_samples_of_different_shapes_and_texts_have_no_probes() -> None:
    """An array of them cannot be kept without pickling."""
    lengths = Odd([[np.zeros(n, np.float32) for n in (1, 2, 3, 4)]])
    with pytest.raises(NoProbes, match="different shapes"):
        make(profile(), ANSWERS, TIMED, lengths, [variant()])
    texts = Odd([[np.array([b"a"], object)] * 4])
    with pytest.raises(NoProbes, match="input pixels holds BYTES"):
        make(profile(), ANSWERS, TIMED, texts, [variant(datatype="BYTES")])
