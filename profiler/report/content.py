"""What the page is made of. Texts are plain: the page escapes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from markupsafe import Markup


@dataclass(frozen=True)
class Figure:
    """A drawing. narrow: for a phone, and for small multiples everywhere. wide: for a laptop.

    note: what to see in it, below it.
    """

    title: str
    narrow: Markup
    wide: Markup | None = None
    note: str = ""


@dataclass(frozen=True)
class Figures:
    """Figures side by side where there is room. title: of all of them, if they need one.

    legend: (name, rank), where they need one.

    labelled: the wide drawings name their lines themselves, so the legend is the narrow ones'.
    """

    figures: Sequence[Figure]
    title: str = ""
    legend: Sequence[tuple[str, int]] = ()
    labelled: bool = False
    kind: Literal["figures"] = field(default="figures", init=False)


@dataclass(frozen=True)
class Table:
    """Rows of text. The first column names the row.

    numbers: indices of the columns to align right. prose: of those whose text may break over
    lines. folded: shown when asked for. dim: indices of the rows that matter less.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()
    prose: frozenset[int] = frozenset()
    folded: bool = False
    dim: frozenset[int] = frozenset()
    kind: Literal["table"] = field(default="table", init=False)


@dataclass(frozen=True)
class Terms:
    """What is what: (term, text)."""

    entries: Sequence[tuple[str, str]]
    kind: Literal["terms"] = field(default="terms", init=False)


@dataclass(frozen=True)
class Points:
    """Statements, each for itself: (head, text)."""

    statements: Sequence[tuple[str, str]]
    kind: Literal["points"] = field(default="points", init=False)


@dataclass(frozen=True)
class Absent:
    """Why a section is empty, and the command that fills it."""

    why: str
    remedy: str
    kind: Literal["absent"] = field(default="absent", init=False)


@dataclass(frozen=True)
class Beside:
    """A figure and its table, side by side where there is room."""

    figures: Figures
    table: Table
    kind: Literal["beside"] = field(default="beside", init=False)


Block = Beside | Figures | Table | Terms | Points | Absent


@dataclass(frozen=True)
class Section:
    """A part of the page. id: of its heading, to link to. lead: what it tells, in a sentence."""

    id: str
    title: str
    lead: str
    blocks: Sequence[Block]
