"""Text and speech: the answer is a text, for example the transcript of an utterance."""

from collections.abc import Sequence
from dataclasses import dataclass

from profiler.datasets.base import Dataset
from profiler.errors import DatasetError, ModelError
from profiler.tasks import base
from profiler.tasks.base import Said, Texts
from profiler.tasks.confidence import confidence_in, confidence_output, confidences
from profiler.tasks.wer import WordErrorRate, normalise
from profiler.tensors import BYTES, Column, Model, Tensor
from tailq.tier import ConfidenceIn


@dataclass(frozen=True, slots=True)
class TextReader:
    """Reads one text a sample, and the model's confidence in it where it gives one."""

    model: str
    confidence: ConfidenceIn | None

    def read(self, outputs: Sequence[Column], samples: base.Ints, /) -> Said:
        """See Reader."""
        if any(values.size != 1 for values in outputs[0]):
            raise ModelError(f"model {self.model} answers a sample with several texts, or none")
        try:
            texts = [values.item().decode() for values in outputs[0]]
        except UnicodeDecodeError:
            raise ModelError(f"model {self.model} answers with a text that is not UTF-8") from None
        return Said(base.encode(texts), confidences(self.model, outputs[1:], samples.size))


@dataclass(frozen=True, slots=True)
class Text:
    """See the module."""

    metric: base.Metric
    name: str = "text"

    def labels(self, dataset: Dataset) -> Texts:
        """See Task."""
        labels = dataset.labels.tolist()
        if not all(isinstance(label, str) for label in labels):
            raise DatasetError(f"{dataset.name}: is not labelled with texts; choose another --task")
        if isinstance(self.metric, WordErrorRate) and not any(map(normalise, labels)):
            raise DatasetError(f"{dataset.name}: there is not one word in all its texts")
        return base.encode(labels)

    def outputs(self, model: Model) -> tuple[Tensor, ...]:
        """See Task: the first output of texts, and the one called confidence."""
        texts = [output for output in model.outputs if output.datatype == BYTES]
        if not texts:
            raise ModelError(f"model {model.name} has no output of texts (BYTES)")
        return (texts[0], *confidence_output(model))

    def reader(self, model: Model, _dataset: Dataset, _probe: Sequence[Column], /) -> TextReader:
        """See Task."""
        return TextReader(model.name, confidence_in(model))


def metric(name: str) -> base.Metric | None:
    """The metric of a name: wer; None if there is none."""
    return WordErrorRate() if name == "wer" else None
