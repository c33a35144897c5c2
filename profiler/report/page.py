"""From sections to one HTML file."""

from collections.abc import Sequence
from datetime import datetime
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from profiler.report import palette
from profiler.report.content import Section
from profiler.report.words import moment


def page(title: str, lead: str, sections: Sequence[Section], written: datetime) -> str:
    """The whole document. Nothing in it is fetched from anywhere; all text is escaped."""
    environment = Environment(
        loader=PackageLoader("profiler.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(colour=_variable, dashes=_dashes)
    style = (resources.files("profiler.report") / "style.css").read_text("utf-8")
    return environment.get_template("page.html.jinja").render(
        title=title,
        lead=lead,
        sections=sections,
        written=moment(written),
        style=Markup(palette.stylesheet() + style),  # noqa: S704 - our own file
    )


def _variable(rank: int) -> str:
    return f"var(--v{rank % palette.HUES})"


def _dashes(rank: int) -> str:
    return " ".join(f"{2 * length:g}" for length in palette.dashes(rank)) or "none"
