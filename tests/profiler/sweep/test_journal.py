"""What is kept of a sweep that was interrupted."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from profiler.measure.partial import PlannedVariant
from profiler.sweep.journal import SweepJournal, SweepPlan
from tailq.errors import ArtefactError
from tailq.profile import DataSet, Metric
from tests.profiler.columns import answers


def plan(seed: int = 0, levels: tuple[str, ...] = ("1", "2")) -> SweepPlan:
    variants = [
        PlannedVariant(name=name, version="1", fingerprint=name, shape=(4,))
        for name in ("fast", "good")
    ]
    return SweepPlan(
        dataset=DataSet(name="toy", samples=2, sha256="0" * 64),
        variants=tuple(variants),
        seed=seed,
        started=datetime.now(UTC),
        metric=Metric(task="classification", name="top-1", additive=True),
        factors={"variant": ("fast", "good"), "concurrency": levels},
        cells=((0, 0), (0, 1), (1, 0), (1, 1)),
        requests_per_round=3,
    )


def test_what_was_finished_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    """Answers, rounds with requests that failed, and the time spent."""
    measured = answers([[True, False], [True, True]])
    latency_s = np.array([[0.25, np.inf, 0.5]] * 4, dtype=np.float64)
    with closing(SweepJournal(tmp_path, plan())) as journal:
        assert not journal.resumed
        journal.add_answers(0, measured, 1.5)
        journal.add_round(latency_s, 2.5)
        journal.add_round(latency_s + latency_s, 3.5)
    with closing(SweepJournal(tmp_path, plan())) as journal:
        assert journal.resumed
        assert journal.has_answers(0)
        assert not journal.has_answers(128)
        assert journal.answers().score.tolist() == measured.score.tolist()
        assert [part.tolist() for part in journal.rounds] == [
            latency_s.tolist(),
            (latency_s + latency_s).tolist(),
        ]
        assert journal.elapsed_s == 3.5


def test_another_sweep_is_not_mixed_in(tmp_path: Path) -> None:
    """Other levels, another seed: refused by name, until what is there is discarded."""
    with closing(SweepJournal(tmp_path, plan())) as journal:
        journal.add_round(np.ones((4, 3)), 1.0)
    with pytest.raises(ArtefactError, match=r"seed was 0, now is 9.*--restart"):
        SweepJournal(tmp_path, plan(seed=9))
    with pytest.raises(ArtefactError, match="factors was"):
        SweepJournal(tmp_path, plan(levels=("1", "4")))
    with closing(SweepJournal(tmp_path, plan(seed=9), restart=True)) as journal:
        assert journal.rounds == []


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    """They would overwrite each other's rounds."""
    with (
        closing(SweepJournal(tmp_path, plan())),
        pytest.raises(ArtefactError, match="another tailq-profile is measuring"),
    ):
        SweepJournal(tmp_path, plan())


def test_a_damaged_round_is_told(tmp_path: Path) -> None:
    """The file is named; nothing is guessed."""
    with closing(SweepJournal(tmp_path, plan())) as journal:
        journal.add_round(np.ones((4, 3)), 1.0)
    (tmp_path / "round-000000.json").write_text('{"elapsed_s": 1.0, "latency')
    with pytest.raises(ArtefactError, match=r"round-000000\.json"):
        SweepJournal(tmp_path, plan())
