"""The system under measurement: a Triton, its variants and the data, checked to fit together."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from profiler.datasets import Dataset
from profiler.errors import ModelError
from profiler.measure.conditions import Condition
from profiler.measure.drive import Driven, Driver
from profiler.measure.feed import Feed
from profiler.measure.rounds import Round, by_variant
from profiler.measure.triton import Triton
from profiler.measure.wire import Variant, read_outputs
from profiler.record.observations import Answers, Observations, concatenate
from profiler.tasks import Reader, Said, Task
from profiler.tasks.base import Floats, Ints, parse
from profiler.tensors import Column
from tailq.tier import ConfidenceIn

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
    """Asks variants for answers and says what they were. Times are of time.perf_counter.

    variants: with those outputs that the task reads.
    """

    variants: Sequence[Variant]
    dataset: Dataset
    task: Task
    driver: Driver
    _readers: dict[int, Reader] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._feed = Feed(self.dataset, self.variants)
        self._labels = self.task.labels(self.dataset)
        self._right = parse(self._labels)
        self._names = tuple(variant.name for variant in self.variants)

    def probe(self) -> None:
        """Ask each variant a few samples: what it gives of them must be answers.

        Raises ModelError or DatasetError naming what does not fit.
        """
        samples = np.arange(min(_PROBE, len(self._labels)))
        outputs = self._outputs(0, samples.size)
        for index, (variant, columns) in enumerate(zip(self.variants, outputs, strict=True)):
            self._readers[index] = self.task.reader(variant, self.dataset, columns)
            self._read(index, columns, samples)

    @property
    def confidence(self) -> dict[str, ConfidenceIn]:
        """Where each probed variant tells its confidence, by name, if it does.

        Whoever reads it from an answer of several samples needs the first axis to tell them apart.
        """
        return {
            variant.name: found
            for variant, reader in zip(self.variants, self._readers.values(), strict=True)
            if (found := reader.confidence) and _by_sample(variant, found.output)
        }

    def answers(self, start: int, stop: int) -> Answers:
        """What every variant answers to the samples from `start` up to `stop`."""
        parts = []
        samples = np.arange(start, stop)
        for index, columns in enumerate(self._outputs(start, stop)):
            said, score = self._read(index, columns, samples)
            parts.append(
                Answers(
                    variants=self._names,
                    variant=np.full(stop - start, index, dtype=np.int32),
                    sample=np.arange(start, stop, dtype=np.int32),
                    label=self._labels[start:stop],
                    answer=said.answer,
                    confidence=said.confidence,
                    score=score.astype(np.float32),
                )
            )
        return concatenate(parts)

    def warm_up(self, round_: Round, load: int) -> None:
        """Send a round that nobody looks at: connections, caches and clocks come up to speed."""
        self.driver.connect()
        self.driver.drive(self._feed.singles(round_), load)

    def observe(
        self, round_: Round, number: int, condition: Condition, zero: float, rate: float = 0.0
    ) -> Observations:
        """Measure a round. zero: the time that `sent_s` is counted from. rate: of an open loop."""
        if not condition.alone:
            return self._observe(round_, number, condition, zero, rate)
        parts = by_variant(round_)
        return concatenate([self._observe(part, number, condition, zero, rate) for part in parts])

    def _observe(
        self, round_: Round, number: int, condition: Condition, zero: float, rate: float
    ) -> Observations:
        requests = self._feed.singles(round_)
        if round_.due_s is None:
            driven = self.driver.drive(requests, condition.load)
        else:
            driven = self.driver.drive_open(requests, round_.due_s)
        ok = np.array([answer is not None for answer in driven.answers])
        self._refuse_silence(round_, ok, condition, driven.why)
        answer = np.full(ok.size, "", dtype=np.object_)
        confidence, score = np.zeros((2, ok.size), dtype=np.float32)
        for index in np.unique(round_.variant).tolist():
            rows = np.flatnonzero((round_.variant == index) & ok)
            columns = _columns(self.variants[index], driven, rows)
            said, score[rows] = self._read(index, columns, round_.sample[rows].astype(np.int64))
            answer[rows], confidence[rows] = said.answer, said.confidence
        return Observations(
            variants=self._names,
            variant=round_.variant,
            sample=round_.sample,
            round=np.full(ok.size, number, dtype=np.int32),
            load=np.full(ok.size, condition.load, dtype=np.int32),
            rate=np.full(ok.size, rate),
            alone=np.full(ok.size, condition.alone),
            sent_s=driven.sent_s - zero,
            latency_s=driven.latency_s,
            answer=answer,
            confidence=confidence,
            score=score,
            ok=ok,
        )

    def _refuse_silence(
        self, round_: Round, ok: NDArray[np.bool_], condition: Condition, why: str
    ) -> None:
        """A variant that fails every time is broken, not slow: there is nothing to measure."""
        asked = np.bincount(round_.variant, minlength=len(self.variants))
        answered = np.bincount(round_.variant[ok], minlength=len(self.variants))
        for index in np.flatnonzero((answered == 0) & (asked > 0)):
            raise ModelError(
                f"model {self.variants[index].name} answered none of its {asked[index]} requests "
                f"in a round {condition}; Triton says: {why}"
            )

    def _outputs(self, start: int, stop: int) -> list[list[Column]]:
        """Outputs of every variant, asked in batches.

        All variants side by side: one instance of a model computes one batch at a time, so more
        batches of one variant would wait for each other while cores are idle.
        """
        fed = [self._feed.batches(variant, start, stop) for variant in self.variants]
        driven = self.driver.drive_lanes([requests for requests, _ in fed])
        return [
            _joined(variant, lane, sizes)
            for variant, lane, (_, sizes) in zip(self.variants, driven, fed, strict=True)
        ]

    def _read(self, index: int, columns: Sequence[Column], samples: Ints) -> tuple[Said, Floats]:
        """What a variant said of some samples, and how good each answer is by itself."""
        said = self._readers[index].read(columns, samples)
        right = [self._right[sample] for sample in samples.tolist()]
        try:
            return said, self.task.metric.judge(right, parse(said.answer)).scores
        except ValueError as error:
            raise ModelError(f"model {self._names[index]} cannot be scored: {error}") from None


def _by_sample(variant: Variant, output: str) -> bool:
    """Whether the first axis of an output is the samples of a request, be it one."""
    [shape] = [tensor.shape for tensor in variant.outputs if tensor.name == output]
    return variant.leading or shape[:1] == (1,)


def _columns(variant: Variant, driven: Driven, rows: Ints) -> list[Column]:
    """The outputs of requests of one sample each that were answered."""
    answers = [driven.answers[row] for row in rows.tolist()]
    return _concatenated([read_outputs(variant, answer, 1) for answer in answers if answer])


def _joined(variant: Variant, driven: Driven, sizes: Sequence[int]) -> list[Column]:
    outputs = []
    for answer, size in zip(driven.answers, sizes, strict=True):
        if answer is None:
            raise ModelError(
                f"model {variant.name} does not answer a batch of {size}; Triton says: {driven.why}"
            )
        outputs.append(read_outputs(variant, answer, size))
    return _concatenated(outputs)


def _concatenated(parts: Sequence[Sequence[Column]]) -> list[Column]:
    """The same outputs of several requests, one after the other."""
    return [list(chain.from_iterable(column)) for column in zip(*parts, strict=True)]


def now() -> float:
    """The clock of the measurement, seconds."""
    return time.perf_counter()
