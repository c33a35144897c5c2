"""The live page and `top` in front of a real gateway on a real Triton, under load."""

import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.embedded.server import EmbeddedTriton
from tests.chromium import Chromium
from tests.gateway.admin.looking import SHOWN, check_looks, shoot, text
from tests.gateway.openloop import OpenLoop
from tests.gateway.process import GatewayProcess
from tests.tables import promise, table, tier

pytestmark = pytest.mark.triton

# One that keeps its promise; one that is idle; one that no Triton could keep.
TABLE = table(
    tier("gold", 0.0, promise("fashion_tiny", 10.0)),
    tier("fast", 0.1, promise("fashion_nano", 10.0)),
    tier("tight", 0.2, promise("fashion_nano", 0.0001)),
    max_outstanding=64,
)
_SPANS = """
Object.fromEntries([...document.querySelectorAll('#spans tr[data-span=start]')].map(row =>
  [row.dataset.tier, Object.fromEntries([...row.querySelectorAll('[data-is]')].map(cell =>
    [cell.dataset.is, cell.textContent]))]))
"""


def by_tier(metrics: Mapping[str, float], name: str, **labels: str) -> dict[str, float]:
    """A counter of a scrape, added up by tier, of the samples with these labels."""
    sums: dict[str, float] = defaultdict(float)
    for sample, value in metrics.items():
        if sample.startswith(f"{name}{{"):
            found = dict(re.findall(r'(\w+)="([^"]*)"', sample))
            if labels.items() <= found.items():
                sums[found["tier"]] += value
    return sums


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2f} %" if whole else "–"


def once(admin: str) -> str:
    """What `tailq-gateway top --once` prints."""
    command = [sys.executable, "-m", "gateway.cli", "top", "--once", "--admin", admin]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


async def test_its_numbers_are_those_of_metrics(
    triton: EmbeddedTriton, chromium: Chromium, tmp_path: Path
) -> None:
    """Of two workers, when the load has ended: at every width and scheme, without a complaint."""
    with GatewayProcess(tmp_path, TABLE, triton.endpoints.http, "--workers=2") as gateway:
        url = f"{gateway.admin}/"
        async with chromium.tab() as page:
            async with OpenLoop(gateway.port, {"gold": 120, "tight": 60}) as load:
                await load.until_answered(50)
                await page.open(url, width=1440, dark=False)
                await page.until(SHOWN)
                await load.until_answered(250)
                await check_looks(page, url, 1440)
            ended = Counter(one.tier for one in load.ended)
            for width, dark in ((1440, False), (390, False), (1440, True), (390, True)):
                await page.open(url, width=width, dark=dark)
                await page.until(SHOWN)
                await check_looks(page, url, width)
                await shoot(page, "real", width, dark)
            shown = await page.evaluate(_SPANS)
            headline = await page.evaluate(text("#headline"))
        metrics = gateway.metrics()
        said = once(gateway.admin)
    requests = by_tier(metrics, "tailq_requests_total")
    outcomes = {
        outcome: by_tier(metrics, "tailq_requests_total", outcome=outcome)
        for outcome in ("on_time", "rescued", "best_effort", "late", "shed", "failed")
    }
    judged, delivered, promised = (
        by_tier(metrics, f"tailq_quality_{what}_total", source="expected")
        for what in ("judged", "delivered", "promised")
    )
    assert {name: requests[name] for name in ended} == ended
    assert shown.keys() == {"gold", "fast", "tight"}
    for name, row in shown.items():
        in_time = sum(outcomes[one][name] for one in ("on_time", "rescued", "best_effort"))
        expected = {
            "requests": f"{requests[name]:,.0f}",
            "on-time": percent(in_time, requests[name]),
            "judged": f"{judged[name]:,.0f}",
            "promised": percent(promised[name], judged[name]),
            "delivered": percent(delivered[name], judged[name]),
            **{outcome: f"{counts[name]:,.0f}" for outcome, counts in outcomes.items()},
        }
        assert {key: row[key] for key in expected} == expected, name
    assert judged["gold"] == ended["gold"]
    assert headline == "1 of 3 promises is broken: tight."
    assert headline in said
