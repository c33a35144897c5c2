"""What makes the live page fit to be looked at, whoever serves it."""

from pathlib import Path
from typing import Final

from tests.chromium import Page

SHOTS: Final = Path(__file__).parents[3] / "build" / "live"
SHOWN: Final = "!document.querySelector('main').hidden"
# Texts that are harder to read than WCAG 2.1 AA allows, or small, or that touch in one drawing.
_HARD_TO_READ = """
(() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= 10 ? v / 3294.6 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const paper = (node) => {
    const colour = rgb(getComputedStyle(node).backgroundColor);
    return colour.length === 3 || colour[3] > 0 ? colour : paper(node.parentElement);
  };
  const found = [];
  let seen = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const text = walk.currentNode.textContent.trim();
    const node = walk.currentNode.parentElement;
    if (!text || !node.checkVisibility()) continue;
    seen += 1;
    const { fill, color, fontSize } = getComputedStyle(node);
    const both = [light(rgb(node.ownerSVGElement ? fill : color)), light(paper(node))];
    const contrast = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (contrast < 4.5 || parseFloat(fontSize) < 11) found.push([text, contrast, fontSize]);
  }
  for (const svg of document.querySelectorAll('svg')) {
    const texts = [...svg.querySelectorAll('text')];
    const boxes = texts.map((text) => text.getBoundingClientRect());
    boxes.forEach((a, i) => boxes.forEach((b, j) => {
      if (i < j && Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
          Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4)
        found.push([texts[i].textContent, texts[j].textContent, 'touch']);
    }));
  }
  return { seen, found };
})()
"""


def text(selector: str) -> str:
    """The expression for what an element says."""
    return f"document.querySelector({selector!r}).textContent"


async def check_looks(page: Page, url: str, width: int) -> None:
    """No sideways scroll, no complaint, nothing fetched elsewhere, readable."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    assert not page.complaints
    assert all(address.startswith(url) for address in page.fetched)
    assert {address.removeprefix(url) for address in page.fetched} >= {"", "style.css", "v1/live"}
    reading = await page.evaluate(_HARD_TO_READ)
    assert reading["seen"] > 100
    assert reading["found"] == []


async def shoot(page: Page, name: str, width: int, dark: bool) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    (SHOTS / f"{name}-{width}-{'dark' if dark else 'light'}.png").write_bytes(
        await page.screenshot()
    )
