"""The live page in a real browser: what it shows, fetches, and does when things change."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from importlib.resources import files

import aiohttp
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.admin import page
from gateway.live.view import LiveView
from gateway.serving import server
from gateway.top import words
from tests.chromium import Chromium
from tests.gateway import views
from tests.gateway.admin.looking import SHOWN, check_looks, shoot, text

SCREENS = [(1440, False), (1440, True), (390, False), (390, True)]
NAMES = sorted(
    file.name
    for file in files(page).iterdir()
    if file.name.endswith((".html", ".css", ".js", ".svg"))
)
# The page's own pause between two questions, in the test's hands: armed(), and fire() ends it;
# fetches: how many questions there were.
_OWN_PAUSES = """
(() => {
  const pauses = new Map(); let last = 0;
  window.setTimeout = (run, ms) => { pauses.set(++last, run); window.paused_ms = ms; return last; };
  window.clearTimeout = (id) => pauses.delete(id);
  window.armed = () => pauses.size;
  const fetch = window.fetch; window.fetches = 0;
  window.fetch = (...given) => { window.fetches += 1; return fetch(...given); };
  window.fire = () => { const [[id, run]] = pauses; pauses.delete(id); run(); };
})()
"""


@dataclass
class Served:
    """The page on a real socket. view: what /v1/live says; None: an error."""

    view: LiveView | None
    url: str = ""

    async def live(self, _: Request) -> Response:
        if self.view is None:
            return JSONResponse({}, 503)
        return JSONResponse(asdict(self.view))


@asynccontextmanager
async def serve(view: LiveView | None) -> AsyncIterator[Served]:
    served = Served(view)
    listener = server.bind("127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.port_of(listener)}/"
    app = Starlette(routes=[*page.routes(), Route("/v1/live", served.live)])
    serving = server.Server(server.admin(app))
    task = asyncio.create_task(serving.serve([listener]))
    await serving.listening.wait()
    try:
        yield served
    finally:
        serving.should_exit = True
        await task


async def test_it_may_load_nothing_but_itself() -> None:
    """Every file says so, is what it says it is, and names no other host; all is small."""
    total = 0
    async with serve(None) as served, aiohttp.ClientSession() as session:
        for name in NAMES:
            async with session.get(served.url + name.replace("index.html", "")) as answer:
                assert answer.status == 200, name
                content = await answer.text()
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert not re.search(r"//(?!www\.w3\.org/2000/svg)\w+\.", content), name
            total += len(content.encode())
    assert len(NAMES) >= 5
    assert total < 40_000


@pytest.mark.parametrize(("width", "dark"), SCREENS)
async def test_all_at_once_is_readable(chromium: Chromium, width: int, dark: bool) -> None:
    """Broken, below and idle tiers, long names and 20 variants, on a laptop and a phone."""
    async with serve(views.BAD) as served, chromium.tab() as page:
        await page.open(served.url, width=width, dark=dark)
        await page.until(SHOWN)
        await check_looks(page, served.url, width)
        assert (await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")) == dark
        tree = await page.call("Accessibility.getFullAXTree")
        await shoot(page, "all-at-once", width, dark)
    roles = [node["role"]["value"] for node in tree["nodes"] if not node["ignored"]]
    # A table for each tier, of variants and of figures: also where a row is drawn as two lines.
    assert roles.count("table") == len(views.BAD.tiers) + 2
    assert roles.count("status") == roles.count("alert") + 1 == 1  # no alert while it answers
    assert roles.count("image") >= len(views.BAD.tiers)


async def test_it_fits_any_width(chromium: Chromium) -> None:
    """Labels do not touch and pictures can be read, from small phones to wide screens."""
    picture = "Math.min(...[...document.querySelectorAll('td.picture')].map(p => p.clientWidth))"
    async with serve(views.BAD) as served, chromium.tab() as page:
        await page.open(served.url, width=1920, dark=False)
        await page.until(SHOWN)
        for width in (320, 390, 699, 700, 1024, 1339, 1340, 1920, 2560):
            metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
            await page.call("Emulation.setDeviceMetricsOverride", **metrics)
            await page.until(f"innerWidth === {width}")
            await check_looks(page, served.url, width)
            assert await page.evaluate(picture) >= min(160, width - 220), width


async def test_it_shows_what_the_view_says(chromium: Chromium) -> None:
    """Verdicts in words, figures by source, wrong variants, endpoints, troubles, corrections."""
    async with serve(views.BAD) as served, chromium.tab() as page:
        await page.open(served.url, width=1440, dark=False)
        await page.until(SHOWN)
        tiers = await page.evaluate(
            "[...document.querySelectorAll('article')].map(a => a.innerText)"
        )
        variants = await page.evaluate(text("#variants"))
        troubles = await page.evaluate(text("#troubles"))
        foot = await page.evaluate(text("footer"))
        marked_up = await page.evaluate("document.querySelectorAll('main img, main td b').length")
    gold, long, bronze, express, idle = tiers
    assert "kept" in gold
    assert "94.61 %" in gold
    assert "+1.91 points" in gold
    assert "92.70 % promised in 200 ms" in gold
    assert "▽ below" in long
    for source in ("as profiled", "expected", "feedback", "probes"):
        assert source in bronze
    assert "feedback" not in gold
    assert "80.0–100.0" in bronze
    assert "broken, by feedback and probes" in express
    assert "92.48 % in time of 5,212 requests, 3 failed, 88 shed, 301 late" in express
    assert "18" in express
    assert "idle" in idle
    assert "no requests" in idle
    assert "<img src=x onerror=alert(1)>" in idle
    assert marked_up == 0
    assert "medium✕ not as profiled" in variants.replace("\n", "")
    assert "legacy✕ cannot be asked" in variants.replace("\n", "")
    assert "TailqPromiseBroken.md" in troubles
    assert "triton-b.example.internal:8000 ✕ does not answer" in foot
    assert "feedback says it is off by +0.8 points for bronze (1,240 labels)" in foot
    assert "profile 3f1c9a7be2d45a60, measured 2026-10-13, 12 days ago" in foot


async def test_page_and_terminal_say_the_same_sentence(chromium: Chromium) -> None:
    """Of one broken or below promise, of several, of all and of none."""
    cases = [
        *views.EVERY.values(),
        views.view(*(views.tier(f"t{n}", "broken", 0.9, 0.8) for n in range(5))),
        views.view(views.tier("gold", "kept", 0.9, 0.95), views.tier("odd", "idle", 0.9, None)),
        replace(views.IDLE, window_s=60.0),
    ]
    async with serve(None) as served, chromium.tab() as page:
        for case in cases:
            served.view = case
            await page.open(served.url, width=390, dark=False)
            await page.until(SHOWN)
            assert await page.evaluate(text("#headline")) == words.headline(case)
            assert words.headline(case) in await page.evaluate("document.title")


async def test_a_picture_places_figures_where_they_belong(chromium: Chromium) -> None:
    """Marks stand in the order of their figures, the shade ends at the promise, all in view."""
    async with serve(views.BAD) as served, chromium.tab() as page:
        await page.open(served.url, width=1440, dark=False)
        await page.until(SHOWN)
        rows = await page.evaluate(
            "[...document.querySelectorAll('article')].map(a => [...a.querySelectorAll('tbody tr')]"
            ".map(r => { const box = r.querySelector('svg').getBoundingClientRect();"
            "const at = (s, side) => { const m = r.querySelector(s); if (!m) return null;"
            "const b = m.getBoundingClientRect(); return side ? b[side] - box.left "
            ": (b.left + b.right) / 2 - box.left; };"
            "return {width: box.width, promise: at('.promise'), short: at('.short', 'right'),"
            "dot: at('.dot'), tail: at('.tail'), from: at('.interval', 'left'),"
            "to: at('.interval', 'right'), beyond: r.querySelectorAll('.beyond').length}; }))"
        )
        ticks = await page.evaluate(
            "[...document.querySelectorAll('[data-is=axis]')].map(s => [...s.querySelectorAll("
            "'text')].map(t => [Number(t.textContent) / 100,"
            "parseFloat(t.getAttribute('x')) / 100 * s.getBoundingClientRect().width]))"
        )
    for tier, lanes, labels in zip(views.BAD.tiers, rows, ticks, strict=True):
        profile, expected, *_ = lanes
        for lane in lanes:
            assert lane["short"] == pytest.approx(lane["promise"], abs=1)
            for mark in ("promise", "dot", "tail", "from", "to"):
                assert lane[mark] is None or -1 <= lane[mark] <= lane["width"] + 1
        # Three figures on one scale: the fourth stands where a line through two of them has it.
        slope = (profile["dot"] - profile["promise"]) / (tier.profiled - tier.promise)
        for value, place in labels:
            assert place == pytest.approx(
                profile["promise"] + slope * (value - tier.promise), abs=2
            )
        mean = tier.window.delivered["expected"]
        if mean is None:
            assert expected["dot"] is None
            assert expected["tail"] is None
            continue
        place = expected["promise"] + slope * (mean - tier.promise)
        assert expected["dot"] == pytest.approx(place, abs=1.5)
        low, high = (
            expected["promise"] + slope * (end - tier.promise) for end in tier.interval["expected"]
        )
        assert expected["from"] == pytest.approx(low, abs=1.5)
        assert expected["to"] == pytest.approx(high, abs=1.5)
    assert rows[2][3]["beyond"] == 2  # the probes' interval goes on to both sides


async def test_it_follows_the_gateway(chromium: Chromium) -> None:
    """Every two seconds; not while hidden, and at once when seen again."""
    async with serve(views.GOOD) as served, chromium.tab() as page:
        await page.call("Page.enable")
        await page.call("Page.addScriptToEvaluateOnNewDocument", source=_OWN_PAUSES)
        await page.open(served.url, width=1440, dark=False)
        await page.until("armed() === 1")
        assert await page.evaluate("paused_ms") == 2000
        article = await page.evaluate("void (window.before = document.querySelector('article'))")
        served.view = views.view(*views.GOOD.tiers[:1], views.tier("new", "broken", 0.9, 0.8))
        await page.evaluate("fire()")
        await page.until(f"{text('#headline')} === '1 of 2 promises is broken: new.'")
        assert await page.evaluate("document.querySelectorAll('article').length") == 2
        # What stays is not made anew: a selection or a reader's place in it is kept.
        assert await page.evaluate("window.before === document.querySelector('article')"), article

        hide = "Object.defineProperty(document, 'hidden', {{value: {}, configurable: true}});"
        tell = "document.dispatchEvent(new Event('visibilitychange'));"
        await page.until("armed() === 1")
        await page.evaluate(hide.format("true") + tell)
        assert await page.evaluate("[armed(), fetches]") == [0, 2]
        await page.evaluate(hide.format("false") + tell)
        await page.until("armed() === 1")
        assert await page.evaluate("fetches") == 3


async def test_silence_is_said_plainly(chromium: Chromium) -> None:
    """With the reason and the time of the figures, which stay; and taken back when it is over."""
    async with chromium.tab() as page:
        async with serve(views.GOOD) as served:
            await page.call("Page.enable")
            await page.call("Page.addScriptToEvaluateOnNewDocument", source=_OWN_PAUSES)
            await page.open(served.url, width=390, dark=False)
            await page.until(SHOWN)
            await page.until("armed() === 1")
            served.view = None
            await page.evaluate("fire()")
            await page.until("!document.querySelector('#silence').hidden")
            said = await page.evaluate(text("#silence"))
            assert "The gateway does not answer: it says 503" in said
            assert re.search(r"What is below is of \d\d:\d\d:\d\d", said)
            assert "94.61 %" in await page.evaluate("document.querySelector('main').innerText")
            assert re.search(r"\d+ seconds? old", await page.evaluate(text("[data-is=age]")))
            served.view = views.GOOD
            await page.until("armed() === 1")
            await page.evaluate("fire()")
            await page.until("document.querySelector('#silence').hidden")
            await page.until("armed() === 1")
        await page.evaluate("fire()")
        await page.until("!document.querySelector('#silence').hidden")
        assert "does not answer: no connection" in await page.evaluate(text("#silence"))
        assert await page.evaluate("document.title") == "✕ No answer from the gateway"
        assert await page.evaluate("armed()") == 1


async def test_a_history_is_drawn_by_time(chromium: Chromium) -> None:
    """What was before the gateway started is empty, and the caption says what is drawn."""
    tier = replace(views.GOOD.tiers[0], history=[None] * 135 + [0.94] * 45)
    async with serve(views.view(tier)) as served, chromium.tab() as page:
        await page.open(served.url, width=1440, dark=False)
        await page.until(SHOWN)
        drawn = await page.evaluate("document.querySelector('.went').getAttribute('d')")
        caption = await page.evaluate(text("figcaption"))
    places = [float(place) for place in re.findall(r"[ML]([\d.]+) ", drawn)]
    assert caption == "Expected quality, means of 1 minute"
    assert min(places) == pytest.approx(1000 * 135 / 179, abs=0.1)  # of 180 steps
    assert max(places) == 1000
