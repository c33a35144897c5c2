"""Run both benchmarks; the last line of output is JSON."""

import json
import sys

from rich.console import Console
from rich.table import Table

from benchmarks.profiler import plans, quality

AT_LEAST = {"quality_vs_loop": 100, "quality_vs_numpy": 5}


def main() -> None:
    """Print the times, then the ratios. Exit code 1 if one is below what we hold ourselves to."""
    console = Console()
    quality_s, plan_s = quality.measure(), plans.measure()
    table = Table("", "ours", "NumPy", "pure Python", title="median of alternating calls, ms")
    requests = f"{quality.SAMPLES * quality.ROUNDS:,} requests"
    table.add_row(f"quality at {quality.DEADLINES} deadlines, {requests}", *_ms(quality_s))
    table.add_row(f"one of {plans.PLANS:,} cascades, {plans.SAMPLES:,} samples", *_ms(plan_s))
    console.print(table)
    console.print(
        "NumPy: one mask a deadline, one plan at a time. Pure Python: a loop over samples; of the "
        "cascades it and NumPy replay every hundredth.",
        highlight=False,
    )
    figures = {
        "quality_vs_loop": round(quality_s["loop"] / quality_s["ours"], 1),
        "quality_vs_numpy": round(quality_s["numpy"] / quality_s["ours"], 2),
        "replay_vs_loop": round(plan_s["loop"] / plan_s["ours"], 1),
        "replay_vs_numpy": round(plan_s["numpy"] / plan_s["ours"], 1),
        "replay_plans_per_s": round(1 / plan_s["ours"]),
    }
    print(json.dumps(figures))
    sys.exit(any(figures[name] < least for name, least in AT_LEAST.items()))


def _ms(seconds: dict[str, float]) -> list[str]:
    return [f"{seconds[name] * 1000:.3g}" for name in ("ours", "numpy", "loop")]


if __name__ == "__main__":
    main()
