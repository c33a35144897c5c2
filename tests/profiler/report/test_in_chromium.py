"""The report in a real browser: at laptop and phone width, in light and dark."""

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from profiler.report.command import html
from tests.chromium import Chromium
from tests.profiler.report import synthetic

# Of every drawing that is shown: where it stands, how much it is scaled, its smallest letters in
# CSS pixels as shown, and whether two of its labels touch.
_PLOTS = """
[...document.querySelectorAll('svg.plot')].filter(svg => svg.checkVisibility()).map(svg => {
  const box = svg.getBoundingClientRect();
  const scale = box.width / svg.viewBox.baseVal.width;
  const texts = [...svg.querySelectorAll('text')];
  const boxes = texts.map(text => text.getBoundingClientRect());
  const touching = [];
  boxes.forEach((a, i) => boxes.forEach((b, j) => {
    if (i < j && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
      touching.push(texts[i].textContent + ' | ' + texts[j].textContent);
  }));
  return {
    label: svg.getAttribute('aria-label'), left: box.left, right: box.right, y: box.top + scrollY,
    width: box.width, height: box.height, touching,
    letters: Math.min(...texts.map(t => parseFloat(getComputedStyle(t).fontSize) * scale)),
    outside: boxes.filter(b => b.right > innerWidth || b.left < 0).length,
  };
})
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    facts = synthetic.facts(table=synthetic.table(), sweep=synthetic.sweep())
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html(facts, datetime(2026, 11, 23, tzinfo=UTC)), "utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
async def test_it_looks_right(chromium: Chromium, report: Path, width: int, dark: bool) -> None:
    """No page scroll sideways, labels of 11 px or more that do not touch, nothing fetched."""
    async with chromium.tab() as page:
        await page.open(report, width=width, dark=dark)
        assert await page.evaluate("innerWidth") == width
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        hidden = "[...document.querySelectorAll('section')].filter(s => s.offsetHeight < 60).length"
        assert await page.evaluate(hidden) == 0
        plots = await page.evaluate(_PLOTS)
        shot = await page.screenshot()
        assert page.fetched == [report.as_uri()]
    assert len(plots) > 20
    for plot in plots:
        assert plot["letters"] >= 11, plot
        assert not plot["touching"], plot
        assert plot["left"] >= 0, plot
        assert plot["right"] <= width, plot
        assert not plot["outside"], plot
    pixels = np.asarray(Image.open(io.BytesIO(shot)).convert("L"), dtype=float)
    paper = pixels[2, 2]
    assert (paper < 64) == dark
    for plot in plots:
        left, top = round(plot["left"]), round(plot["y"])
        cut = pixels[top : top + round(plot["height"]), left : left + round(plot["width"])]
        drawn = np.abs(cut - paper) > 60  # lines and letters, not the grid
        assert 0.005 < drawn.mean() < 0.6, plot["label"]
