"""The table of a profile."""

import io
from datetime import UTC, datetime

from rich.console import Console

from profiler.record.show import show
from tailq.profile import (
    Convergence,
    DataSet,
    Metric,
    Profile,
    QualityAtDeadline,
    Server,
    VariantAtLoad,
    VariantProfile,
)


def at_load(load: int, quality: float, failed: int = 0) -> VariantAtLoad:
    at = QualityAtDeadline(
        deadline_s=0.025, quality=quality, tail_5=quality - 0.1, tail_1=0.1, worst=0.0
    )
    return VariantAtLoad(
        load=load,
        rounds=30,
        requests=960,
        failed=failed,
        p50_s=0.0012 * load,
        p99_s=0.0345,
        at_deadlines=(at,),
    )


PROFILE = Profile(
    id="0123456789abcdef",
    service="toy",
    started=datetime(2026, 1, 1, tzinfo=UTC),
    finished=datetime(2026, 1, 1, tzinfo=UTC),
    dataset=DataSet(name="toys", samples=300, sha256="0" * 64),
    server=Server(name="triton", version="2.51.0"),
    loads=(1, 4),
    stopped_by="converged",
    metric=Metric(task="classification", name="top-1", additive=True),
    convergence=(Convergence(rounds=30, inferences=3840, rjsd=0.041, half_width=0.0042),),
    files={},
    variants=(
        VariantProfile(
            name="toy_big",
            version="1",
            fingerprint="",
            quality=0.9,
            service_s=0.001,
            loads=(at_load(1, 0.88), at_load(4, 0.7, failed=3)),
        ),
        VariantProfile(
            name="toy_small",
            version="1",
            fingerprint="",
            quality=0.8,
            service_s=0.001,
            loads=(at_load(1, 0.8), at_load(4, 0.8)),
        ),
    ),
)


def shown(width: int, *, terminal: bool) -> str:
    written = io.StringIO()
    show(PROFILE, Console(file=written, width=width, force_terminal=terminal, color_system=None))
    return written.getvalue()


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.strip().startswith(name))


def test_a_row_tells_latencies_and_the_worst_loads_quality() -> None:
    """Quality, p50/p99 at each load, quality and tail at the deadline; the best variant last."""
    text = shown(200, terminal=False)
    assert row(text, "toy_big") == ["toy_big", "90.0", "1.2/34.5", "4.8/34.5", "70.0", "(60.0)"]
    assert text.index("toy_small") < text.index("toy_big")
    assert "3840 timed requests, 30 rounds a load; stopped by convergence, rJSD 0.041" in text
    assert "5 % tail known to ±0.42 %" in text


def test_failed_requests_are_told() -> None:
    """Nobody has to look for them."""
    assert "careful: requests without an answer, counted as late: toy_big 3" in shown(
        200, terminal=False
    )


def test_a_narrow_terminal_shows_the_highest_load_whole() -> None:
    """80 columns cut nothing off."""
    text = shown(80, terminal=True)
    assert row(text, "toy_big") == ["toy_big", "90.0", "4.8/34.5", "70.0"]
    assert "…" not in text
