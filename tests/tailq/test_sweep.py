"""The sweep's artefact: what is consistent is read back as it was, what is not is refused."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from tailq import artefact
from tailq.errors import ArtefactError
from tailq.profile import DataSet, Metric, Server
from tailq.sweep import (
    Attribution,
    Cell,
    CellAtDeadline,
    CriticalQuality,
    Factor,
    Level,
    Share,
    Sweep,
    SweptVariant,
)

DEADLINES_S = (0.01, 0.02)


def cell(value: str, deadlines_s: tuple[float, ...] = DEADLINES_S) -> Cell:
    at = tuple(
        CellAtDeadline(
            deadline_s=deadline_s, quality=0.5, tail_5=0.4, worst=0.4, by_round=(0.4, 0.5, 0.6)
        )
        for deadline_s in deadlines_s
    )
    levels = {"concurrency": value}
    return Cell(levels=levels, requests=9, failed=1, p50_s=0.01, p99_s=0.02, at_deadlines=at)


def sweep(*cells: Cell) -> Sweep:
    critical = tuple(
        CriticalQuality(deadline_s=deadline_s, quality=0.5, tail_5=0.4, worst=0.4)
        for deadline_s in DEADLINES_S
    )
    shares = (
        Share(source="factor", factors=("concurrency",), share=0.75, low=0.5, high=0.9),
        Share(source="residual", factors=(), share=0.25, low=0.1, high=0.5),
    )
    return Sweep(
        started=datetime(2026, 1, 1, tzinfo=UTC),
        finished=datetime(2026, 1, 2, tzinfo=UTC),
        dataset=DataSet(name="toy", samples=3, sha256="0" * 64),
        server=Server(name="triton", version="2"),
        metric=Metric(task="classification", name="top-1", additive=True),
        variants=(SweptVariant(name="a", version="1", fingerprint="f", quality=0.9),),
        deadlines_s=DEADLINES_S,
        factors=(
            Factor(
                name="concurrency",
                levels=tuple(
                    Level(value=value, p50_s=0.01, p99_s=0.02, at_deadlines=critical)
                    for value in ("1", "2")
                ),
            ),
        ),
        design="full",
        strength=1,
        rounds=3,
        requests_per_round=3,
        seed=0,
        stopped_by="rounds",
        cells=cells,
        confidence=0.95,
        attribution=tuple(
            Attribution(
                deadline_s=deadline_s,
                mean=0.5,
                lowest=0.4,
                highest=0.6,
                deviation=0.1,
                shares=shares,
            )
            for deadline_s in DEADLINES_S
        ),
    )


def test_a_sweep_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    """JSON keeps everything."""
    written = sweep(cell("1"), cell("2"))
    artefact.write(tmp_path / "sweep.json", written)
    assert artefact.read(tmp_path / "sweep.json", Sweep) == written


def test_a_cell_at_an_unknown_level_is_refused() -> None:
    """Cells name levels that their factors have."""
    with pytest.raises(ValidationError, match="is not one of the factors' levels"):
        sweep(cell("1"), cell("4"))


def test_figures_at_other_deadlines_are_refused() -> None:
    """Whatever stands at deadlines stands at each of the sweep's, in their order."""
    with pytest.raises(ValidationError, match="at each of the deadlines"):
        sweep(cell("1"), cell("2", DEADLINES_S[::-1]))


def test_another_artefact_is_no_sweep(tmp_path: Path) -> None:
    """The schema's name is checked, so that a profile is not taken for a sweep."""
    path = tmp_path / "other.json"
    path.write_text('{"schema": "tailq.profile/2"}')
    with pytest.raises(ArtefactError, match="schema"):
        artefact.read(path, Sweep)


def test_sources_have_names_for_people() -> None:
    """Factors are named, pairs joined, and what is nobody's says what it is."""

    def label(source: str, *factors: str) -> str:
        return Share.model_validate(
            {"source": source, "factors": factors, "share": 0.1, "low": 0, "high": 1}
        ).label

    assert label("factor", "batch") == "batch"
    assert label("interaction", "batch", "cpus") == "batch × cpus"
    assert label("round") == "drift between rounds"
    assert label("residual") == "round to round"
