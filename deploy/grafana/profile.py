"""What the profile foretells, and what is live, one over the other."""

from typing import Final

from grafana_foundation_sdk.builders import (
    barchart,
    heatmap,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as builders

from deploy.grafana.frame import OF_TIERS, PROFILE, framed, tiers
from deploy.grafana.panels import (
    PLAIN,
    RATIO,
    SECONDS,
    Query,
    Said,
    bars,
    column,
    dashed,
    lines,
    number,
    rows,
    states,
    warmth,
)
from tailq.tier import ROUND_LEVELS

_EXPECTED: Final = f'{OF_TIERS},source="expected"'
_SERVICE: Final = 'service="$service"'
_NO_ROUND: Final = "No round of 100 requests has ended in this time"
_UNFORETOLD: Final = "The tier table foretells no rounds: compile it again"
_DAY_S: Final = 86_400


def dashboard() -> builders.Dashboard:
    """The predicted distribution of quality with the live one over it."""
    board = framed(
        PROFILE,
        "What the profile foretells of the quality of rounds, with the live one over it; and "
        "whether the profile still speaks of what is served.",
        tiers(),
    )
    board = board.with_row(builders.Row("The profile"))
    board = board.with_panel(_age()).with_panel(_fingerprint()).with_panel(_tiers())
    board = board.with_row(builders.Row("Quality of rounds of 100 requests"))
    board = board.with_panel(_distribution()).with_panel(_over_time()).with_panel(_rounds())
    board = board.with_row(builders.Row("Expected without labels, and known by them"))
    return board.with_panel(_calibration()).with_panel(_probes()).with_panel(_feedback())


def _age() -> stat.Panel:
    said = Said(
        "Age of the profile (good: below 30 days)",
        "Since it was finished, by its id. What it was measured on changes in ways that no "
        "fingerprint tells: profile again.",
        SECONDS,
        "No gateway has told of a profile",
        width=8,
        height=6,
    )
    measured = f"min by (profile) (tailq_profile_measured_timestamp_seconds{{{_SERVICE}}})"
    limits = [(None, "green"), (14 * _DAY_S, "yellow"), (30 * _DAY_S, "red")]
    return number(said, Query(f"time() - {measured}", "{{profile}}"), limits)


def _fingerprint() -> statetimeline.Panel:
    said = Said(
        "Triton serves what was profiled (good: yes)",
        "Version, platform and configuration of each variant, as far as Triton tells. Where it "
        "is no, promises of plans with it are best effort.",
        PLAIN,
        "Triton has not told yet",
        width=16,
        height=6,
    )
    query = Query(f"min by (variant) (tailq_fingerprint_match{{{_SERVICE}}})", "{{variant}}")
    return states(said, query, {"0": "no", "1": "yes"}, [(None, "red"), (1, "green")])


def _tiers() -> table.Panel:
    said = Said(
        "Foretold and delivered (good: delivered at or above foretold)",
        "Quality at each tier's own deadline: as promised, as the profile measured it, and as "
        "delivered, expected by confidence, since the start; and the interval that the mean "
        "lies in at the table's confidence since the start or the last other table, looked at "
        "whenever one likes.",
        RATIO,
        "No tier has been served in this time",
        width=24,
        height=7,
    )
    judged, delivered = (
        f"sum by (tier) (tailq_quality_{name}_total{{{_EXPECTED}}})"
        for name in ("judged", "delivered")
    )
    panel = rows(
        said,
        {"tier": "Tier"},
        Query(f"max by (tier) (tailq_promise_ratio{{{OF_TIERS}}})", "Promised"),
        Query(f"max by (tier) (tailq_expected_quality_ratio{{{OF_TIERS}}})", "Profiled"),
        Query(f"{delivered} / ({judged} > 0)", "Delivered"),
        Query(f"min by (tier) (tailq_quality_lower_ratio{{{_EXPECTED}}})", "At least"),
        Query(f"max by (tier) (tailq_quality_upper_ratio{{{_EXPECTED}}})", "At most"),
        Query(judged, "Requests"),
    )
    return column(panel, "Requests", "short")


def _distribution() -> barchart.Panel:
    said = Said(
        "Distribution of the quality of a round (good: live bars as high as foretold)",
        "For each share of rounds, the worst first, the quality that they do not exceed: as the "
        "profile foretells it at the load that is worst for the tier, and live over the time "
        "shown. Choose one tier; of several it is the lowest foretold and all rounds together.",
        RATIO,
        _NO_ROUND,
        height=10,
    )
    foretold = f"tailq_profiled_round_quality_ratio{{{OF_TIERS}}}"
    panel = bars(
        said,
        "level",
        Query(f"min by (level) ({foretold})", "foretold"),
        Query(" or ".join(map(_live, ROUND_LEVELS)), "live"),
    )
    return panel.min(0).max(1)


def _over_time() -> timeseries.Panel:
    said = Said(
        "Quality of rounds over time (good: at or above the dashed line of the same share)",
        "The worst 1 %, 5 % and half of the last hour's rounds, and the same shares as foretold.",
        RATIO,
        _NO_ROUND,
        height=10,
    )
    bucket = f"tailq_round_quality_ratio_bucket{{{_EXPECTED}}}"
    by = f"sum by (le) (rate({bucket}[1h]))"
    foretold = f'tailq_profiled_round_quality_ratio{{{OF_TIERS},level=~"0.01|0.05|0.5"}}'
    panel = lines(
        said,
        Query(f"min by (level) ({foretold})", "profile, {{level}}"),
        *(Query(f"histogram_quantile({q}, {by}) >= 0", f"live, {q}") for q in (0.01, 0.05, 0.5)),
    )
    return dashed(panel, "profile")


def _rounds() -> heatmap.Panel:
    said = Said(
        "Where rounds lie (good: a band that stays where the profile has it)",
        "Requests by the quality of their round, over time. Where that is expected and not known "
        "they count in each bucket by the probability that their round belongs there.",
        RATIO,
        _NO_ROUND,
        width=24,
    )
    bucket = f"tailq_round_quality_ratio_bucket{{{_EXPECTED}}}"
    return warmth(said, Query(f"sum by (le) (increase({bucket}[5m]))", "{{le}}"))


def _calibration() -> table.Panel:
    said = Said(
        "What was expected, and what labels say of the same answers (good: within 2 points)",
        "By variant and by where labels come from, over the last 6 hours. The error is what "
        "label-free figures are off by, above 0 too high.",
        RATIO,
        "No labels are known yet: they come from probes and feedback",
    )
    panel = rows(
        said,
        {"variant": "Variant", "source": "Labels by"},
        *(
            Query(
                f"max by (variant, source) "
                f"(service_variant_source:tailq_calibration_{name}:ratio_rate6h{{{_SERVICE}}})",
                title,
            )
            for name, title in (
                ("expected", "Expected"),
                ("delivered", "Known"),
                ("error", "Error"),
            )
        ),
    )
    limits = [(None, "red"), (-0.02, "green"), (0.02, "red")]
    return column(panel, "Error", RATIO, limits)


def _probes() -> timeseries.Panel:
    said = Said(
        "Probes by how they end (good: on_time)",
        "Labelled samples of the profile that the gateway sends itself, the way that clients' "
        "requests take.",
        "reqps",
        "No probes were sent: the gateway has none",
        width=6,
    )
    sent = f"sum by (outcome) (rate(tailq_probes_total{{{OF_TIERS}}}[5m]))"
    return lines(said, Query(sent, "{{outcome}}")).min(0)


def _feedback() -> timeseries.Panel:
    said = Said(
        "Feedback by what became of it (good: taken)",
        "Labels that clients told. What comes too late, or for a request that is not known, "
        "cannot be counted.",
        "reqps",
        "No client has told a label",
        width=6,
    )
    told = f"sum by (result) (rate(tailq_feedback_total{{{_SERVICE}}}[5m]))"
    return lines(said, Query(told, "{{result}}")).min(0)


def _live(level: float) -> str:
    """A quantile of the rounds in the time shown, with its level as a label."""
    bucket = f"tailq_round_quality_ratio_bucket{{{_EXPECTED}}}"
    quantile = f"histogram_quantile({level:g}, sum by (le) (increase({bucket}[$__range])))"
    return f'label_replace({quantile} >= 0, "level", "{level:g}", "", "")'
