"""The sections of the page, in the order in which a reader asks."""

from collections.abc import Sequence

from profiler.report.content import Section
from profiler.report.facts import Facts
from profiler.report.sections.calibration import calibration
from profiler.report.sections.convergence import convergence
from profiler.report.sections.factors import factors
from profiler.report.sections.footnotes import footnotes
from profiler.report.sections.front import front
from profiler.report.sections.load import load
from profiler.report.sections.measured import measured
from profiler.report.sections.quality import quality
from profiler.report.sections.summary import summary
from profiler.report.sections.tiers import tiers


def sections(facts: Facts) -> Sequence[Section]:
    """Every section, those that have nothing to show with a line that says how to get it."""
    every = (
        summary,
        measured,
        quality,
        front,
        tiers,
        convergence,
        load,
        calibration,
        factors,
        footnotes,
    )
    return [section(facts) for section in every]
