"""Quantiles of histograms, against Prometheus itself."""

import json
import math
import random
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from gateway.live.glance.quantile import quantile

LEVELS = (0.01, 0.05, 0.5, 0.99, 1.0)


def test_it_is_what_prometheus_says(tmp_path: Path) -> None:
    """To the last bit: with holes, empty, with everything above all edges, with one edge."""
    draw = random.Random(1)
    series, checks = [], []
    for number in range(40):
        edges = sorted(draw.sample([-0.5, 0.0, 0.5, 0.8, 0.9, 0.93, 0.95, 0.97, 1.0], number % 7))
        counts = [draw.choice([0, 0, 1, 3, 40]) if number else 0 for _ in (*edges, math.inf)]
        below = [float(sum(counts[: place + 1])) for place in range(len(counts))]
        buckets = list(zip((*edges, math.inf), below, strict=True))
        for edge, count in buckets:
            label = "+Inf" if edge == math.inf else f"{edge}"
            name = f'h_bucket{{le="{label}",number="{number}"}}'
            series.append({"series": name, "values": f"{count:g}"})
        for level in LEVELS:
            found = quantile(level, buckets)
            samples = [] if found is None else [{"labels": "{}", "value": found}]
            # NaN is what there is no quantile for; no comparison with it holds.
            query = f'sum(histogram_quantile({level}, h_bucket{{number="{number}"}}) > -9)'
            checks.append({"expr": query, "eval_time": "0m", "exp_samples": samples})
    test = {"interval": "1m", "input_series": series, "promql_expr_test": checks}
    file = tmp_path / "tests.yml"
    file.write_text(json.dumps({"rule_files": [], "tests": [test]}))  # JSON is YAML
    done = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@given(st.lists(st.integers(0, 50), min_size=2, max_size=8), st.floats(0.01, 1), st.floats(0.01, 1))
def test_it_rises_with_the_level(counts: list[int], first: float, second: float) -> None:
    """And stays between 0 and the last finite edge."""
    edges = [*(place / 10 for place in range(1, len(counts))), math.inf]
    below = [float(sum(counts[: place + 1])) for place in range(len(counts))]
    buckets = list(zip(edges, below, strict=True))
    low, high = quantile(min(first, second), buckets), quantile(max(first, second), buckets)
    assert (low is None) == (high is None) == (not sum(counts))
    if low is not None and high is not None:
        assert 0 <= low <= high * (1 + 1e-12)
        assert high <= edges[-2] * (1 + 1e-12)
