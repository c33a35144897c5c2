"""The journal: nothing measured is lost, and nothing is mixed."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from profiler.measure.conditions import Condition
from profiler.measure.journal import Journal, Plan
from profiler.measure.partial import PlannedVariant
from tailq.errors import ArtefactError
from tailq.profile import DataSet, Metric
from tests.profiler.columns import VARIANTS, answers, observations

PLAN = Plan(
    service="toy",
    metric=Metric(task="classification", name="top-1", additive=True),
    dataset=DataSet(name="toy", samples=2, sha256="a" * 64),
    variants=tuple(
        PlannedVariant(name=name, version="1", fingerprint=name, shape=(1, 4, 4))
        for name in VARIANTS
    ),
    loads=(1, 2),
    open_loop=(0.5,),
    samples_per_round=2,
    seed=0,
    started=datetime(2026, 1, 1, tzinfo=UTC),
)
CHUNK = answers([[True, False], [True, True]])


def measured(folder: Path) -> Path:
    """A journal that was interrupted after one chunk and three rounds."""
    with Journal.open(folder, PLAN) as journal:
        journal.add_answers(0, CHUNK, 1.5)
        journal.add_round(Condition(1), observations([0.1], [True], [0]), 2.0)
        journal.add_round(Condition(2), observations([0.2], [True], [0], load=2), 3.0)
        journal.add_round(Condition(share=0.5), observations([0.3], [True], [0], load=0), 4.0)
    return folder


def test_what_was_measured_is_there_again(tmp_path: Path) -> None:
    """Answers, rounds and the time spent survive; only the beginning's time may differ."""
    later = PLAN.model_copy(update={"started": datetime(2026, 2, 2, tzinfo=UTC)})
    with Journal.open(measured(tmp_path), later) as journal:
        assert journal.resumed
        assert journal.plan.started == PLAN.started
        assert journal.elapsed_s == 4.0
        assert journal.has_answers(0)
        assert not journal.has_answers(128)
        assert [len(journal.rounds(each)) for each in PLAN.conditions] == [1, 1, 0, 0, 1]
        assert journal.answers().score.tolist() == [1.0, 0.0, 1.0, 1.0]
        assert journal.observations().latency_s.tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 7}, r"seed was 0, now is 7"),
        (
            {"metric": Metric(task="classification", name="f1", additive=False)},
            "metric was top-1, now is f1",
        ),
        ({"loads": (1,)}, r"loads was \(1, 2\), now is \(1,\)"),
        ({"open_loop": ()}, r"open_loop was \(0.5,\), now is \(\)"),
        ({"samples_per_round": 9}, "samples_per_round was 2, now is 9"),
        (
            {"dataset": DataSet(name="toy", samples=2, sha256="b" * 64)},
            r"dataset was toy \(2 samples, SHA-256 aaaaaaaaaaaa\), now is toy .*bbbbbbbbbbbb",
        ),
        ({"variants": PLAN.variants[:1]}, "variants was fast v1 .*good v1 .* now is fast v1"),
    ],
)
def test_another_plan_is_refused(tmp_path: Path, change: dict[str, object], message: str) -> None:
    """The error says what differs and how to discard."""
    other = PLAN.model_copy(update=change)
    with pytest.raises(ArtefactError, match=rf"{message}.*--restart"):
        Journal.open(measured(tmp_path), other)
    with Journal.open(tmp_path, other, restart=True) as journal:
        assert not journal.resumed


def test_two_runs_cannot_write_one_journal(tmp_path: Path) -> None:
    """The second one is told of the first."""
    with (
        Journal.open(tmp_path, PLAN),
        pytest.raises(ArtefactError, match="another tailq-profile is measuring"),
    ):
        Journal.open(tmp_path, PLAN)
    Journal.open(tmp_path, PLAN).__exit__()


def test_a_full_disk_keeps_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The chunk that does not fit is an error; the ones before it are intact."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal.open(measured(tmp_path), PLAN) as journal:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(ArtefactError, match=r"parquet: cannot be written \(No space left"):
            journal.add_round(Condition(1), observations([0.3], [True], [1]), 5.0)
        monkeypatch.undo()
    with Journal.open(tmp_path, PLAN) as journal:
        assert len(journal.rounds(Condition(1))) == 1


def test_a_damaged_chunk_is_named(tmp_path: Path) -> None:
    """A chunk that cannot be read is an error with its path."""
    (measured(tmp_path) / "round-0001-000000.parquet").write_bytes(b"PAR1")
    with pytest.raises(ArtefactError, match=r"round-0001-000000\.parquet: is truncated"):
        Journal.open(tmp_path, PLAN)


def test_leftovers_of_a_killed_write_are_ignored(tmp_path: Path) -> None:
    """A neighbour file that was never renamed is not a chunk."""
    (measured(tmp_path) / ".round-0001-000001.parquet.4711").write_bytes(b"PA")
    with Journal.open(tmp_path, PLAN) as journal:
        assert len(journal.rounds(Condition(1))) == 1
