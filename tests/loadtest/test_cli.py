"""Streams are Poisson and cover the samples; mistakes are one line."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from loadtest import arrivals, cli, rates
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


def test_a_burst_brings_so_many_times_as_many() -> None:
    """Within it five times the rate, outside of it the same as without, always ascending."""
    times = arrivals.with_bursts(50, 200, [(100.0, 150.0, 5.0)], np.random.default_rng(5))
    assert np.all(np.diff(times) >= 0)
    inside = np.count_nonzero((times >= 100) & (times < 150))
    assert stats.poisson.cdf(inside, 5 * 50 * 50) == pytest.approx(0.5, abs=0.495)
    assert stats.poisson.cdf(times.size - inside, 50 * 150) == pytest.approx(0.5, abs=0.495)
    assert times[-1] < 200


def test_a_burst_ends_with_the_run() -> None:
    """One that would go on after it, or begin after it, brings nothing then."""
    rng = np.random.default_rng(5)
    times = arrivals.with_bursts(50, 20, [(10.0, 90.0, 3.0), (30.0, 40.0, 3.0)], rng)
    assert times[-1] < 20
    assert np.count_nonzero(times >= 10) > 1.5 * np.count_nonzero(times < 10)


def test_a_rate_without_a_tier_is_that_of_all_together() -> None:
    """They share it equally; what is said of one tier after that goes for this one."""
    assert rates.parse([], TABLE) == {"gold": 10, "silver": 10}
    assert rates.parse(["50"], TABLE) == {"gold": 25, "silver": 25}
    assert rates.parse(["50", "gold=1"], TABLE) == {"gold": 1, "silver": 25}


def test_every_tier_gets_its_own_stream_over_distinct_samples() -> None:
    """Rates apply by name, and no sample repeats before all were sent."""
    gold, silver = cli.make_streams(TABLE, 5000, ["gold=40"], 60, seed=1)
    assert (gold.tier, silver.tier) == ("gold", "silver")
    assert gold.samples.size > 2 * silver.samples.size
    assert np.unique(gold.samples).size == gold.samples.size


@pytest.mark.parametrize("rate", ["gold", "gold=x", "gold=0", "gold=nan", "lead=5", "=5", "-3"])
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
        f"tailq-load run --gateway 127.0.0.1:9 --tiers {tmp_path}/tiers.json "
        f"--data {tmp_path}/data.npz --out {tmp_path}/report.json".split(),
    )
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 2
    assert "no gateway answers there" in capsys.readouterr().err
    assert not (tmp_path / "report.json").exists()
