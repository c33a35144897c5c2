"""Figures as inline SVG."""

import re
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from profiler.report.palette import LIGHT
from profiler.report.plot import NARROW, log_time, plot, spread, time_ticks


@given(
    st.lists(st.floats(0, 300), min_size=1, max_size=12),
)
def test_labels_are_spread_until_they_do_not_touch(wanted: list[float]) -> None:
    """Spread labels keep their order and their distance, within the axes if there is room."""
    placed = spread(wanted, 14, 0, 300)
    ordered = [placed[at] for at in np.argsort(wanted, kind="stable")]
    assert all(after - before >= 14 - 1e-6 for before, after in pairwise(ordered))
    assert min(placed) >= -1e-6
    assert max(placed) <= 300 + 1e-6


def test_labels_with_room_stay_where_they_are() -> None:
    """Nothing is moved without need."""
    assert spread([10, 200, 100], 14, 0, 300) == [10, 200, 100]


@given(st.floats(1e-4, 1e-1), st.floats(1.5, 1e4))
def test_time_ticks_are_few_enough_for_a_phone(low_s: float, ratio: float) -> None:
    """Whatever the range, at most a dozen labels stand below an axis."""
    ticks = [t for t in time_ticks(low_s, low_s * ratio) if low_s <= t <= low_s * ratio]
    assert len(ticks) <= 12


def _drawn(text: str = "", label: str = "a figure") -> str:
    with plot(label, NARROW, 200) as drawn:
        log_time(drawn.axes, 0.001, 0.1)
        drawn.line([0.002, 0.05], [0.2, 0.9], 0)
        drawn.tip(0.01, 0.5, LIGHT["v0"], text or "here")
        drawn.end_labels([(0.9, text or "end", 0)])
        drawn.name_axes("deadline, ms", "quality, %")
        return str(drawn.svg())


def test_colours_are_the_pages() -> None:
    """No colour is fixed in a figure: each is a variable that follows the page's scheme."""
    svg = _drawn()
    assert "var(--v0)" in svg
    assert not re.search(r"#[0-9a-f]{6}\b", svg.replace("#f", ""))


def test_a_figure_says_what_it_shows() -> None:
    """Screen readers get the label, pointers the text of what they are over."""
    svg = _drawn("12 % within 10 ms", label="Quality of nano")
    assert 'role="img"' in svg
    assert 'aria-label="Quality of nano"' in svg
    assert '<g class="hit"><title>12 % within 10 ms</title>' in svg


def test_texts_are_escaped_and_are_not_mathematics() -> None:
    """A name with markup or dollars is shown as it is."""
    svg = _drawn("<script>$x^2$</script>")
    assert "<script" not in svg
    assert "&lt;script&gt;$x^2$&lt;/script&gt;</text>" in svg


def test_a_name_in_a_script_the_measuring_font_lacks_is_drawn() -> None:
    """The browser has the letters; that matplotlib has not is no warning."""
    assert "小さい" in _drawn("小さい")


def test_the_same_figure_is_the_same_text() -> None:
    """Nothing in a figure depends on when it was drawn."""
    assert _drawn() == _drawn()


def test_ids_of_two_figures_differ() -> None:
    """Figures share a page, so what one refers to must not be the other's."""
    one, other = (set(re.findall(r' id="([^"]+)"', _drawn(text))) for text in ("a", "b"))
    assert one
    assert not one & other


def test_every_reference_leads_somewhere() -> None:
    """Whatever is used or clips is defined in the figure itself."""
    svg = _drawn()
    used = set(re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg))
    assert used
    assert {one or other for one, other in used} <= set(re.findall(r' id="([^"]+)"', svg))
