"""The system under measurement: a Triton, its variants and the data, checked to fit together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from profiler.datasets import Dataset
from profiler.errors import DatasetError, ModelError
from profiler.measure.drive import Driven, Driver
from profiler.measure.feed import Feed
from profiler.measure.rounds import Round
from profiler.measure.triton import Triton
from profiler.measure.wire import Variant, read_output
from profiler.record.observations import Answers, Observations, concatenate
from profiler.tasks.classification import Predictions, are_probabilities, predict

# Enough samples to tell probabilities from logits and to see a wrong shape.
_PROBE = 8


def choose_models(triton: Triton, service: str, models: Sequence[str]) -> list[str]:
    """The models to profile: those named, or all ready ones called "<service>_…".

    Raises ModelError if there is none.
    """
    if models:
        return list(dict.fromkeys(models))
    ready = triton.ready_models()
    own = [name for name in ready if name.startswith(f"{service}_")]
    if not own:
        raise ModelError(
            f"Triton at {triton.address} serves no model called {service}_…; ready are: "
            f"{', '.join(ready) or 'none'}; name them with --models"
        )
    return own


@dataclass
class Bench:
    """Asks variants for answers and says what they were. Times are of time.perf_counter."""

    variants: Sequence[Variant]
    dataset: Dataset
    driver: Driver
    probabilities: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._feed = Feed(self.dataset, self.variants)
        self._labels = self.dataset.labels.astype(np.int32)
        self._names = tuple(variant.name for variant in self.variants)

    def probe(self) -> None:
        """Ask each variant a few samples: they must fit, and tell if it answers probabilities.

        Raises ModelError or DatasetError naming what does not fit.
        """
        outputs = self._outputs(0, min(_PROBE, len(self._labels)))
        highest = int(self._labels.max())
        for variant, output in zip(self.variants, outputs, strict=True):
            self.probabilities[variant.name] = are_probabilities(output)
            if highest >= output.shape[1]:
                raise DatasetError(
                    f"{self.dataset.name}: label {highest} is out of range: model {variant.name} "
                    f"tells {output.shape[1]} classes apart (0 to {output.shape[1] - 1})"
                )

    def answers(self, start: int, stop: int) -> Answers:
        """What every variant answers to the samples from `start` up to `stop`."""
        labels = self._labels[start:stop]
        parts = []
        for index, output in enumerate(self._outputs(start, stop)):
            said = self._predict(self.variants[index], output)
            parts.append(
                Answers(
                    variants=self._names,
                    variant=np.full(stop - start, index, dtype=np.int32),
                    sample=np.arange(start, stop, dtype=np.int32),
                    label=labels,
                    answer=said.answer,
                    confidence=said.confidence,
                    correct=said.answer == labels,
                )
            )
        return concatenate(parts)

    def warm_up(self, round_: Round, load: int) -> None:
        """Send a round that nobody looks at: connections, caches and clocks come up to speed."""
        self.driver.drive(self._feed.singles(round_), load)

    def observe(self, round_: Round, number: int, load: int, zero: float) -> Observations:
        """Measure a round. zero: the time that `sent_s` is counted from."""
        driven = self.driver.drive(self._feed.singles(round_), load)
        ok = np.array([answer is not None for answer in driven.answers])
        self._refuse_silence(round_, ok, load, driven.why)
        answer = np.full(ok.size, -1, dtype=np.int32)
        confidence = np.zeros(ok.size, dtype=np.float32)
        for index, variant in enumerate(self.variants):
            rows = np.flatnonzero((round_.variant == index) & ok)
            said = self._predict(variant, _stack(variant, driven, rows))
            answer[rows], confidence[rows] = said.answer, said.confidence
        return Observations(
            variants=self._names,
            variant=round_.variant,
            sample=round_.sample,
            round=np.full(ok.size, number, dtype=np.int32),
            load=np.full(ok.size, load, dtype=np.int32),
            sent_s=driven.sent_s - zero,
            latency_s=driven.latency_s,
            answer=answer,
            confidence=confidence,
            correct=answer == self._labels[round_.sample],
            ok=ok,
        )

    def _refuse_silence(self, round_: Round, ok: NDArray[np.bool_], load: int, why: str) -> None:
        """A variant that fails every time is broken, not slow: there is nothing to measure."""
        asked = np.bincount(round_.variant, minlength=len(self.variants))
        answered = np.bincount(round_.variant[ok], minlength=len(self.variants))
        for index in np.flatnonzero((answered == 0) & (asked > 0)):
            raise ModelError(
                f"model {self.variants[index].name} answered none of its {asked[index]} requests "
                f"in a round at load {load}; Triton says: {why}"
            )

    def _outputs(self, start: int, stop: int) -> list[NDArray[np.float32]]:
        """Outputs of every variant, in batches.

        All variants side by side: one instance of a model computes one batch at a time, so more
        batches of one variant would wait for each other while cores are idle.
        """
        fed = [self._feed.batches(variant, start, stop) for variant in self.variants]
        driven = self.driver.drive_lanes([requests for requests, _ in fed])
        return [
            _joined(variant, lane, sizes)
            for variant, lane, (_, sizes) in zip(self.variants, driven, fed, strict=True)
        ]

    def _predict(self, variant: Variant, outputs: NDArray[np.float32]) -> Predictions:
        try:
            return predict(outputs, probabilities=self.probabilities[variant.name])
        except ValueError as error:
            raise ModelError(f"model {variant.name} cannot be scored: {error}") from None


def _stack(variant: Variant, driven: Driven, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    answers = [driven.answers[row] for row in rows.tolist()]
    return np.concatenate([read_output(variant, answer, 1) for answer in answers if answer])


def _joined(variant: Variant, driven: Driven, sizes: Sequence[int]) -> NDArray[np.float32]:
    outputs = []
    for answer, size in zip(driven.answers, sizes, strict=True):
        if answer is None:
            raise ModelError(
                f"model {variant.name} does not answer a batch of {size}; Triton says: {driven.why}"
            )
        outputs.append(read_output(variant, answer, size))
    return np.concatenate(outputs)


def now() -> float:
    """The clock of the measurement, seconds."""
    return time.perf_counter()
