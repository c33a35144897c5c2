"""The colours of the report, for a light and a dark page.

Figures are drawn with the light colours, and each is then replaced by the page's variable of the
same name, so that one figure serves both schemes. The eight of the variants are told apart with
normal, protan and deutan vision, and from either page (tests/profiler/report/test_palette.py).
"""

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "ink": "#1b1f24",
    "soft": "#59616b",
    "rule": "#d5d9de",
    "v0": "#004fd5",
    "v1": "#d97f0c",
    "v2": "#1ba96a",
    "v3": "#412555",
    "v4": "#299bed",
    "v5": "#927597",
    "v6": "#684b00",
    "v7": "#583a37",
}
DARK: Mapping[str, str] = {
    "paper": "#14171b",
    "ink": "#e8eaed",
    "soft": "#a3abb5",
    "rule": "#363c44",
    "v0": "#457cff",
    "v1": "#e46c1b",
    "v2": "#35e173",
    "v3": "#9862b0",
    "v4": "#96e6ff",
    "v5": "#d980a0",
    "v6": "#fff535",
    "v7": "#e9f7d8",
}
HUES = 8

# Colour is never alone: neighbours in rank differ in dashes too. In units of the line's width.
_DASHES: tuple[tuple[float, ...], ...] = ((), (5, 1.6), (1.6, 1.4), (6, 1.5, 1.6, 1.5))


def colour(rank: int) -> str:
    """Colour of the variant (or plan, tier, ...) numbered `rank`, as figures are drawn."""
    return LIGHT[f"v{rank % HUES}"]


def dashes(rank: int) -> tuple[float, ...]:
    """Lengths of dash and gap of its line, in line widths; empty: solid."""
    return _DASHES[(rank + rank // HUES) % len(_DASHES)]


def stylesheet() -> str:
    """Both palettes as CSS variables."""
    light, dark = (
        "".join(f"--{name}:{value};" for name, value in colours.items())
        for colours in (LIGHT, DARK)
    )
    return (
        f":root{{color-scheme:light dark;{light}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
        "@media print{:root{color-scheme:light;" + light + "}}"
    )
