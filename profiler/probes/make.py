"""Making probes: from a measured profile, its data and its models to samples ready to be sent."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.datasets import Dataset
from profiler.errors import NoProbes
from profiler.measure.wire import Variant
from profiler.probes.choose import choose
from profiler.record.evidence import evidence_of
from profiler.record.observations import Answers, Observations
from profiler.replay.replayed import Ints
from profiler.tasks.classification import names_one_class
from tailq.datatypes import DTYPES
from tailq.probes import Probes
from tailq.profile import Profile

# Enough that a quality can be met to a tenth of a point, where samples are small.
MOST = 512
# Of memory in each process of the gateway: a hundred pictures for a large model.
_MOST_BYTES = 64 << 20


def make(
    profile: Profile,
    answers: Answers,
    observations: Observations,
    dataset: Dataset,
    variants: Sequence[Variant],
    most: int = MOST,
) -> Probes:
    """Choose at most `most` samples of a profile, and what is sent of each.

    variants: those of the profile. Raises NoProbes if answers are no classes, or a sample is not
    one tensor for all variants; DatasetError if the data do not fit the models.
    """
    if not names_one_class(profile.metric.task, profile.metric.name):
        raise NoProbes(
            f"no probes: the gateway can tell whether a class is right (top-1), not "
            f"{profile.metric.name} of {profile.metric.task}"
        )
    first = variants[0]
    if any((each.inputs, each.leading) != (first.inputs, first.leading) for each in variants):
        raise NoProbes("no probes: the variants do not take the same inputs")
    a_sample = sum(
        values.nbytes for values in _inputs(dataset, first, np.zeros(1, np.int64)).values()
    )
    count = max(1, min(most, _MOST_BYTES // max(1, a_sample)))
    chosen = choose(evidence_of(answers, observations), count)
    order = np.lexsort((answers.sample, answers.variant))
    answered = answers.answer[order].astype(np.int64).reshape(len(answers.variants), -1)
    return Probes(
        profile=profile.id,
        inputs=_inputs(dataset, first, chosen),
        datatypes={tensor.name: tensor.datatype for tensor in first.inputs},
        labels=dataset.labels[chosen].astype(np.int64),
        answers=dict(zip(answers.variants, answered[:, chosen], strict=True)),
    )


def told(probes: Probes, profile: Profile) -> str:
    """How many there are and how like the profile they are, in a line."""
    off = max(
        abs(float((probes.answers[each.name] == probes.labels).mean()) - each.quality)
        for each in profile.variants
    )
    return (
        f"{probes.labels.size} probes: the quality of each variant on them is within "
        f"{100 * off:.2f} points of that on all {profile.dataset.samples} samples"
    )


def _inputs(dataset: Dataset, variant: Variant, samples: Ints) -> dict[str, NDArray[Any]]:
    """The tensors of a request for each of the samples [n]: by name, [n, *shape] each."""
    inputs = {}
    for tensor, column in zip(
        variant.inputs, dataset.tensors(samples, variant.inputs), strict=True
    ):
        if tensor.datatype not in DTYPES:
            raise NoProbes(f"no probes: input {tensor.name} holds {tensor.datatype}")
        if len({values.shape for values in column}) > 1:
            raise NoProbes("no probes: samples are of different shapes")
        values = np.stack(column).astype(DTYPES[tensor.datatype])
        inputs[tensor.name] = values[:, None] if variant.leading else values
    return inputs
