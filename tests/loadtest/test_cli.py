"""Streams are Poisson and cover the samples; mistakes are one line."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from loadtest import arrivals, cli
from tailq import artefact
from tailq.errors import TailqError
from tests.tables import promise, table, tier

TABLE = table(
    tier("gold", 0.01, promise("large", 0.1)), tier("silver", 0.03, promise("small", 0.05))
)


def test_gaps_of_a_poisson_stream_are_exponential() -> None:
    """Inter-arrival times agree with the exponential law (Kolmogorov-Smirnov)."""
    times = arrivals.poisson(50, 200, np.random.default_rng(5))
    assert np.all((times >= 0) & (times < 200))
    assert stats.kstest(np.diff(times), "expon", args=(0, 1 / 50)).pvalue > 0.01


def test_every_tier_gets_its_own_stream_over_distinct_samples() -> None:
    """Rates apply by name, and no sample repeats before all were sent."""
    gold, silver = cli.make_streams(TABLE, 5000, ["gold=40"], 60, seed=1)
    assert (gold.tier, silver.tier) == ("gold", "silver")
    assert gold.samples.size > 2 * silver.samples.size
    assert np.unique(gold.samples).size == gold.samples.size


@pytest.mark.parametrize("rate", ["gold", "gold=x", "gold=0", "gold=nan", "lead=5"])
def test_a_bad_rate_is_refused(rate: str) -> None:
    """A rate names an offered tier and a positive number."""
    with pytest.raises(TailqError, match=f"--rate {rate}"):
        cli.make_streams(TABLE, 10, [rate], 60, seed=1)


def test_a_missing_gateway_is_one_line_and_exit_code_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command says where no gateway answers, without a traceback."""
    artefact.write(tmp_path / "tiers.json", TABLE)
    np.savez(tmp_path / "data.npz", inputs=np.zeros((3, 1, 2, 2)), labels=np.zeros(3, int))
    monkeypatch.setattr(
        "sys.argv",
        f"tailq-load --gateway 127.0.0.1:9 --tiers {tmp_path}/tiers.json "
        f"--data {tmp_path}/data.npz --out {tmp_path}/report.json".split(),
    )
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "no gateway answers there" in capsys.readouterr().err
    assert not (tmp_path / "report.json").exists()
