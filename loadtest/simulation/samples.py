"""What is asked and what each variant answers to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as parquet

from gateway.dataplane import Reading
from gateway.upstream.base import Reply
from tailq import profile
from tailq.errors import ArtefactError


@dataclass(slots=True, eq=False)
class Told(Reply):
    """A simulated answer: how sure its variant is (None: it does not tell), and what it is worth.

    score: in [0, 1]; 1 is right.
    """

    confidence: float | None = None
    score: float = 1.0


@dataclass(frozen=True)
class Answers:
    """What variants answer to the samples 0 to `count` - 1: (confidence, score), in one order.

    A variant that is not there: each answer counts as right, and none tells its confidence.
    """

    by_variant: Mapping[str, Sequence[tuple[float | None, float]]]
    count: int

    def of(self, variant: str, sample: int) -> tuple[float | None, float]:
        """Confidence and score."""
        told = self.by_variant.get(variant)
        return (None, 1.0) if told is None else told[sample]


UNTOLD = Answers({}, 1)


def told(_variant: str, reply: Reply) -> Reading | None:
    """What a simulated answer tells: a gateway.dataplane.Read."""
    if not isinstance(reply, Told) or reply.confidence is None:
        return None
    return Reading((reply.confidence,))


def told_each(variant: str, replies: Sequence[Reply]) -> list[Reading | None]:
    """The same of several: a gateway.live.judging.ReadAll."""
    return [told(variant, reply) for reply in replies]


def read(folder: Path) -> Answers:
    """The answers of a profile. Raises ArtefactError."""
    path = folder / profile.ANSWERS
    try:
        table = parquet.read_table(path, columns=["variant", "sample", "confidence", "score"])
    except (OSError, ValueError, KeyError) as error:
        raise ArtefactError(f"{path}: these are no answers of a profile ({error})") from None
    rows: dict[str, dict[int, tuple[float | None, float]]] = {}
    columns = [table.column(name).to_pylist() for name in table.column_names]
    for variant, sample, sure, score in zip(*columns, strict=True):
        told = None if sure is None or sure != sure else float(sure)
        rows.setdefault(variant, {})[sample] = (told, float(score))
    shared = sorted(set.intersection(*map(set, rows.values()))) if rows else []
    if not shared:
        raise ArtefactError(f"{path}: no sample was answered by every variant")
    return Answers(
        {variant: [by_sample[s] for s in shared] for variant, by_sample in rows.items()},
        len(shared),
    )
