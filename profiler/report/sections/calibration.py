"""What a model's confidence is worth."""

from markupsafe import Markup

from profiler.report import palette
from profiler.report.content import Absent, Figure, Figures, Section
from profiler.report.facts import Facts
from profiler.report.plot import NARROW, in_percent, plot
from profiler.report.words import count, percent
from tailq.calibration import Calibration

_TITLE = "Calibration of confidence"
_LEAD = (
    "Answers of similar confidence (dots, larger for more answers) against their quality. On the "
    "dashed line confidence means what it says; the solid line is the map fitted to it. ECE: "
    "expected calibration error, before and after, the latter on samples not fitted to."
)


def calibration(facts: Facts) -> Section:
    """A reliability diagram a variant."""
    by_name = {variant.name: variant for variant in facts.profile.variants}
    fitted = {
        name: found for name in facts.names if (found := by_name[name].calibration) is not None
    }
    if not fitted:
        absent = Absent(
            "This profile has no calibration: too few samples, or a task whose answers come "
            "without a confidence.",
            "tailq-profile run with more samples",
        )
        return Section("calibration", _TITLE, _LEAD, [absent])
    # One scale, so that variants compare.
    bins = [bin_ for each in fitted.values() for bin_ in each.bins]
    low = max(0.0, min([0.9, *(min(b.confidence, b.quality) for b in bins)]) - 0.05)
    figures = [
        _figure(facts.names[name], facts.ranks[name], each, low) for name, each in fitted.items()
    ]
    return Section("calibration", _TITLE, _LEAD, [Figures(figures)])


def _figure(shown: str, rank: int, fitted: Calibration, low: float) -> Figure:
    note = f"ECE {percent(fitted.error, 2)} before, {percent(fitted.calibrated_error, 2)} after"
    return Figure(shown, _svg(shown, rank, fitted, low, note), note=note)


def _svg(shown: str, rank: int, fitted: Calibration, low: float, note: str) -> Markup:
    most = max((bin_.samples for bin_ in fitted.bins), default=1)
    colour = palette.colour(rank)
    with plot(f"Reliability of {shown}'s confidence: {note}.", NARROW, 260) as drawn:
        axes = drawn.axes
        axes.plot([0, 1], [0, 1], color=palette.LIGHT["soft"], linewidth=1, linestyle=(0, (5, 3)))
        (line,) = axes.plot(fitted.confidence, fitted.quality, color=colour)
        drawn.explain(line, f"{shown}: fitted map")
        for bin_ in fitted.bins:
            (dot,) = axes.plot(
                [bin_.confidence],
                [bin_.quality],
                "o",
                color=colour,
                alpha=0.6,
                markersize=3 + 8 * (bin_.samples / most) ** 0.5,
                markeredgewidth=0,
            )
            drawn.explain(
                dot,
                f"{count(bin_.samples)} answers of confidence {percent(bin_.confidence)}: "
                f"quality {percent(bin_.quality)}",
            )
        axes.set_xlim(low, 1.02)
        axes.set_ylim(low, 1.03)
        in_percent(axes.xaxis)
        in_percent(axes.yaxis)
        drawn.name_axes("confidence, %", "quality, %")
        return drawn.svg()
