"""A figure: drawn by matplotlib, handed out as inline SVG that takes its colours from the page.

A figure is drawn for the width it is shown at (units are CSS pixels), never scaled down, so that
its labels stay readable on a phone.
"""

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from profiler.report import palette
from profiler.report.palette import LIGHT
from profiler.report.words import ms_number

NARROW = 350  # a phone of 390 less the page's margins
WIDE = 530

TEXT_PX = 12
_LINE_PX = 14.0  # between labels, so that they do not touch
_HIT_PX = 14  # of the invisible dots that a pointer finds
_RC: Any = {
    "svg.fonttype": "none",  # text stays text: the browser's font, selectable, small
    "svg.hashsalt": "tailq",  # the same figure has the same ids every time
    "text.parse_math": False,  # names come from outside: "$" is a dollar
    "font.size": TEXT_PX,
    "font.family": "DejaVu Sans",  # to measure with: comes with matplotlib, and is wide
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 1,
    "axes.edgecolor": LIGHT["soft"],
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.xmargin": 0.02,
    "grid.color": LIGHT["rule"],
    "grid.linewidth": 1,
    "figure.facecolor": "none",
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["soft"],
    "ytick.color": LIGHT["soft"],
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "xtick.major.size": 4,
    "ytick.major.size": 0,
    "lines.linewidth": 2,
}


@dataclass(frozen=True)
class Margins:
    """Room around the axes, pixels."""

    left: int = 44
    right: int = 14
    top: int = 24
    bottom: int = 40


_MARGINS = Margins()


class Plot:
    """One set of axes, what it shows in words, and what a pointer is told of its parts."""

    def __init__(self, label: str, width: int, height: int, margins: Margins) -> None:
        self._label = label
        self._size = (width, height)
        self._tips: dict[str, str] = {}
        self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
        self.axes: Axes = self.figure.add_axes(
            (
                margins.left / width,
                margins.bottom / height,
                1 - (margins.left + margins.right) / width,
                1 - (margins.top + margins.bottom) / height,
            )
        )

    def name_axes(self, x: str, y: str) -> None:
        """Say what the axes are, with units: x below, y above, so that both read level."""
        self.axes.set_xlabel(x, color=LIGHT["soft"], labelpad=4)
        self.figure.text(
            2 / self._size[0], 1 - 14 / self._size[1], y, color=LIGHT["soft"], ha="left"
        )

    def line(self, x: ArrayLike, y: ArrayLike, rank: int, **style: Any) -> Line2D:
        """A line in the colour and dashes of `rank`."""
        dashes = palette.dashes(rank)
        style = {"linestyle": (0, dashes) if dashes else "-", **style}
        (drawn,) = self.axes.plot(x, y, color=palette.colour(rank), **style)
        return drawn

    def tip(self, x: float, y: float, colour: str, text: str) -> None:
        """Tell a pointer near (x, y) `text`, in the coordinates of the axes."""
        (dot,) = self.axes.plot(
            [x], [y], "o", color=colour, markersize=_HIT_PX, clip_on=False, zorder=9
        )
        self.explain(dot, text, hidden=True)

    def explain(self, artist: Any, text: str, *, hidden: bool = False) -> None:
        """Tell a pointer over `artist` `text`; hidden: only seen while pointed at."""
        name = f"{'hit' if hidden else 'tip'}-{len(self._tips)}"
        artist.set_gid(name)
        self._tips[name] = text

    def end_labels(self, labels: Sequence[tuple[float, str, int]]) -> None:
        """Name lines at the right end of the axes: (y there, name, rank); none touch."""
        axes, (width, height) = self.axes, self._size
        right = axes.get_xlim()[1]
        wanted = np.array([axes.transData.transform((right, y))[1] for y, _, _ in labels])
        low, high = axes.get_window_extent().intervaly
        edge = axes.get_window_extent().x1
        for at, want, (_, name, rank) in zip(
            spread(np.clip(wanted, low, high), _LINE_PX, low, high),
            wanted,
            labels,
            strict=True,
        ):
            self.figure.add_artist(
                Line2D(
                    [edge / width, (edge + 10) / width],
                    [np.clip(want, low, high) / height, at / height],
                    color=palette.colour(rank),
                    linewidth=1.5,
                )
            )
            self.figure.text((edge + 13) / width, at / height, name, va="center")

    def svg(self) -> Markup:
        """The figure as an <svg> element."""
        out = StringIO()
        with warnings.catch_warnings():
            # The browser has the letters that the measuring font lacks.
            warnings.filterwarnings("ignore", message="Glyph .* missing from")
            self.figure.savefig(out, format="svg", metadata={"Date": None})
        return _inline(out.getvalue(), self._label, self._size, self._tips)


@contextmanager
def plot(label: str, width: int, height: int, margins: Margins = _MARGINS) -> Iterator[Plot]:
    """Axes to draw on; within the context only. label: what the figure shows, for screen readers.

    width, height: CSS pixels.
    """
    with mpl.rc_context(_RC):
        yield Plot(label, width, height, margins)


def few_ticks(axis: Axis, most: int = 6) -> None:
    """Ticks at round numbers, few enough for their labels not to touch on a phone."""
    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))


def in_percent(axis: Axis) -> None:
    """Label shares as percentages; the unit is in the axis' name."""
    few_ticks(axis, 7)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}"))


def log_time(axes: Axes, low_s: float, high_s: float) -> None:
    """Make x the time in seconds on a log axis, labelled in milliseconds at 1, 2, 5, 10, ..."""
    axes.set_xscale("log")
    axes.set_xlim(low_s, high_s)
    ticks = np.array([t for t in time_ticks(low_s, high_s) if low_s <= t <= high_s])
    axes.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ms_number(value)))


def time_ticks(low_s: float, high_s: float) -> Sequence[float]:
    """1, 2, 5, 10, ... over the range; where that is more than fits, the powers of ten alone."""
    decades = np.log10(high_s / low_s)
    subs = (1.0, 2.0, 5.0) if decades < 3 else (1.0,)
    return [float(t) for t in LogLocator(subs=subs, numticks=50).tick_values(low_s, high_s)]


def spread(wanted: ArrayLike, gap: float, low: float, high: float) -> list[float]:
    """Move positions apart until they are `gap` apart, as little as can be (least squares).

    Within [low, high], if there is room for all.
    """
    at = np.asarray(wanted, dtype=np.float64)
    order = np.argsort(at, kind="stable")
    steps = gap * np.arange(len(order))
    moved = isotonic_regression(at[order] - steps).x
    top = max(low, high - steps[-1]) if len(steps) else low
    placed = np.empty(len(order))
    placed[order] = np.clip(moved, low, top) + steps
    return [float(value) for value in placed]


_COLOURS = {value: f"var(--{name})" for name, value in LIGHT.items()}
_COLOUR = re.compile("|".join(_COLOURS))
_REFERENCE = re.compile(r"url\(#([^)]+)\)|^#(.+)$")


def _inline(svg: str, label: str, size: tuple[int, int], tips: dict[str, str]) -> Markup:
    """Turn matplotlib's document into an element among others of one page."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own drawing
    figure = hashlib.sha256(f"{label}{tips}{svg}".encode()).hexdigest()[:8]
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith(("}metadata", "}style")):
                parent.remove(child)
    used = {
        found[0] or found[1]
        for element in root.iter()
        for value in element.attrib.values()
        for found in _REFERENCE.findall(value)
    }
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        _attributes(element, figure, used, tips)
    width, height = size
    root.attrib = {
        "class": "plot",
        "viewBox": f"0 0 {width} {height}",
        "style": f"max-width:{width}px",
        "role": "img",
        "aria-label": label,
    }
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 - our own drawing


def _attributes(
    element: ElementTree.Element, figure: str, used: set[str], tips: dict[str, str]
) -> None:
    """Colours become the page's; ids differ between figures; names of XML namespaces go."""
    element.text, element.tail = (element.text or "").strip(), None  # no white space between
    name = element.attrib.pop("id", "")
    if name in tips:
        element.set("class", name.partition("-")[0])
        title = ElementTree.Element("title")
        title.text = tips[name]
        element.insert(0, title)
    if name in used:
        element.set("id", f"f{figure}-{name}")
    for key, value in list(element.attrib.items()):
        del element.attrib[key]
        renamed = _REFERENCE.sub(
            lambda m: f"url(#f{figure}-{m[1]})" if m[1] else f"#f{figure}-{m[2]}", value
        )
        coloured = _COLOUR.sub(lambda m: _COLOURS[m[0]], renamed)
        element.set(key.rpartition("}")[2], coloured)
