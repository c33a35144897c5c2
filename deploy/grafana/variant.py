"""One variant: whether it is as fast, as sure and as right as it was profiled, and is there."""

from grafana_foundation_sdk.builders import barchart, heatmap, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as builders

from deploy.grafana.frame import OF_VARIANT, VARIANT, framed, variants
from deploy.grafana.panels import (
    PLAIN,
    RATIO,
    SECONDS,
    Query,
    Said,
    bars,
    colored,
    dashed,
    lines,
    number,
    warmth,
)

_IDLE = "It was asked nothing in this time"
_UNLABELLED = "No labels are known of its answers: they come from probes and feedback"
_PSI = f"service_variant:tailq_confidence:psi_rate1h{{{OF_VARIANT}}}"
_ERROR = f"service_variant_source:tailq_calibration_error:ratio_rate6h{{{OF_VARIANT}}}"
_CORRECTION = f"max by (variant) (tailq_latency_correction_ratio{{{OF_VARIANT}}})"
_SHIFT = [(None, "green"), (0.1, "yellow"), (0.25, "red")]


def dashboard() -> builders.Dashboard:
    """Whether what the profile says of a variant still holds."""
    board = framed(
        VARIANT,
        "Whether a variant is as fast, as sure and as right as it was profiled; promises rest "
        "on that.",
        variants(),
    )
    board = board.with_row(builders.Row("Now"))
    for panel in (_as_profiled(), _absent(), _factor(), _psi_now(), _busy()):
        board = board.with_panel(panel)
    board = board.with_row(builders.Row("As fast as profiled?"))
    board = board.with_panel(_latency()).with_panel(_quantiles())
    board = board.with_panel(_slower()).with_panel(_corrected())
    board = board.with_row(builders.Row("As sure as profiled?"))
    board = board.with_panel(_bins()).with_panel(_psi()).with_panel(_unread())
    board = board.with_row(builders.Row("As right as expected?"))
    board = board.with_panel(_calibration()).with_panel(_probes())
    board = board.with_row(builders.Row("At Triton"))
    return board.with_panel(_in_flight()).with_panel(_asked()).with_panel(_ejections())


def _as_profiled() -> stat.Panel:
    said = Said(
        "As profiled (good: yes)",
        "Whether Triton serves the version, platform and configuration that were profiled. It "
        "tells nothing of a model's files: probes do.",
        PLAIN,
        "Triton has not told yet",
        width=5,
        height=4,
    )
    query = Query(f"min by (variant) (tailq_fingerprint_match{{{OF_VARIANT}}})")
    return number(said, query, [(None, "red"), (1, "green")], {"0": "no", "1": "yes"})


def _absent() -> stat.Panel:
    said = Said(
        "Can be asked (good: yes)",
        "No: no Triton serves it, or all its requests fail. Plans with it are left out.",
        PLAIN,
        "Not known yet",
        width=5,
        height=4,
    )
    query = Query(f"max by (variant) (tailq_variant_absent{{{OF_VARIANT}}})")
    return number(said, query, [(None, "green"), (1, "red")], {"0": "yes", "1": "no"})


def _factor() -> stat.Panel:
    said = Said(
        "Latency, observed over profiled (good: about 1)",
        "By this decisions are corrected, of several gateways the highest.",
        PLAIN,
        _IDLE,
        width=5,
        height=4,
    )
    return number(said, Query(_CORRECTION), [(None, "green"), (1.5, "yellow"), (3, "red")])


def _psi_now() -> stat.Panel:
    said = Said(
        "Shift of its confidence (good: below 0.1)",
        "Population stability index of the last hour's confidences against the profile's.",
        PLAIN,
        _IDLE,
        width=5,
        height=4,
    )
    return number(said, Query(_PSI), _SHIFT)


def _busy() -> stat.Panel:
    said = Said(
        "Places taken (good: below 100 %)",
        "Requests at Triton over those that may be there at once.",
        RATIO,
        "It has no limit of its own",
        width=4,
        height=4,
    )
    taken = f"sum by (variant) (tailq_in_flight{{{OF_VARIANT}}})"
    places = f"min by (variant) (tailq_limit{{{OF_VARIANT}}})"
    return number(said, Query(f"{taken} / ({places} > 0)"))


def _latency() -> heatmap.Panel:
    said = Said(
        "What Triton took (good: a narrow band that stays)",
        "Every request to Triton until it really ended, abandoned ones and probes included.",
        SECONDS,
        _IDLE,
    )
    took = f"rate(tailq_upstream_duration_seconds_bucket{{{OF_VARIANT}}}[$__rate_interval])"
    return warmth(said, Query(f"sum by (le) ({took})", "{{le}}"))


def _quantiles() -> timeseries.Panel:
    said = Said(
        "What Triton took: quantiles (good: steady)",
        "Of the last 5 minutes, from the histogram: exact at its edges only.",
        SECONDS,
        _IDLE,
    )
    took = f"sum by (le) (rate(tailq_upstream_duration_seconds_bucket{{{OF_VARIANT}}}[5m]))"
    levels = {"50 %": 0.5, "95 %": 0.95, "99 %": 0.99}
    queries = [Query(f"histogram_quantile({q}, {took})", name) for name, q in levels.items()]
    return lines(said, *queries).min(0)


def _slower() -> timeseries.Panel:
    said = Said(
        "Slower than the profile's quantiles (good: at the dashed line of the same quantile)",
        "Share of the last 30 minutes' answers that took longer than each quantile of the "
        "profile's at the same load. By the profile it is 1 - quantile.",
        RATIO,
        "No answers were compared with the profile in this time",
    )
    beyond = f"service_variant_level:tailq_latency_beyond:ratio_rate30m{{{OF_VARIANT}}}"
    compared = f"count by (level) ({beyond})"
    foretold = f"level:tailq_latency_beyond:foretold and on (level) {compared}"
    panel = lines(
        said,
        Query(beyond, "beyond {{level}}"),
        Query(foretold, "profile, {{level}}"),
    ).min(0)
    return dashed(panel, "profile")


def _corrected() -> timeseries.Panel:
    said = Said(
        "Latency, observed over profiled (good: about 1)",
        "Of each gateway, by its own answers; what each decides by.",
        PLAIN,
        _IDLE,
    )
    by = f"max by (instance) (tailq_latency_correction_ratio{{{OF_VARIANT}}})"
    return lines(said, Query(by, "{{instance}}"), limits=[(None, "green"), (1.5, "yellow")])


def _bins() -> barchart.Panel:
    said = Said(
        "How sure it is, live and profiled (good: bars of a pair alike)",
        "Share of answers in each bin of the profile's confidences, least sure first. Bins hold "
        "about as many of the profile's samples each. Other inputs than the profile's show here "
        "first, without any label.",
        RATIO,
        _IDLE,
    )
    live = f"service_variant_bin:tailq_confidence_answers:ratio_rate1h{{{OF_VARIANT}}}"
    profiled = f"service_variant_bin:tailq_confidence_profiled:max{{{OF_VARIANT}}}"
    return bars(
        said,
        "bin",
        Query(f"max by (bin) ({live})", "live, last hour"),
        Query(f"max by (bin) ({profiled})", "profile"),
    )


def _psi() -> timeseries.Panel:
    said = Said(
        "Shift of its confidence (good: below 0.1; above 0.25 inputs have changed)",
        "Population stability index of the last hour's confidences against the profile's.",
        PLAIN,
        _IDLE,
        width=6,
    )
    return lines(said, Query(_PSI, "index"), limits=_SHIFT).min(0)


def _unread() -> timeseries.Panel:
    said = Said(
        "Answers that do not tell how sure they are (good: none)",
        "Each is expected to be worth what the profile's are on average, whatever it is; above 5 % "
        "there is a ticket. Of a variant without any confidence it is all of them.",
        RATIO,
        _IDLE,
        width=6,
    )
    unread = f"service_variant:tailq_confidence_unread:ratio_rate30m{{{OF_VARIANT}}}"
    limits = [(None, "green"), (0.05, "red")]
    return lines(said, Query(unread, "unread"), limits=limits).min(0).max(1)


def _calibration() -> timeseries.Panel:
    said = Said(
        "Expected minus known quality (good: within 2 points of 0)",
        "Of the same answers: what their confidence let expect, and what labels said, over the "
        "last 6 hours. Above 0, label-free figures of quality are too high by as much.",
        RATIO,
        _UNLABELLED,
    )
    return colored(lines(said, Query(_ERROR, "{{source}}")))


def _probes() -> timeseries.Panel:
    said = Said(
        "Probes with another answer than the profile has (good: below 2 %)",
        "Answers to labelled samples of the profile that differ from what the same variant "
        "answered when it was profiled. Above 2 % it is another model behind the same name.",
        RATIO,
        "No probes were answered by it in this time",
    )
    different = f"service_variant:tailq_probe_answers_different:ratio_rate30m{{{OF_VARIANT}}}"
    return lines(said, Query(different, "differ"), limits=[(None, "green"), (0.02, "red")]).min(0)


def _in_flight() -> timeseries.Panel:
    said = Said(
        "Requests at Triton (good: below the limit)",
        "Abandoned ones included, of all gateways; and how many may be there at once, which falls "
        "while it fails or is late.",
        "short",
        _IDLE,
        width=8,
    )
    panel = lines(
        said,
        Query(f"sum by (variant) (tailq_in_flight{{{OF_VARIANT}}})", "at Triton"),
        Query(f"min by (variant) (tailq_limit{{{OF_VARIANT}}})", "limit"),
    ).min(0)
    return dashed(panel, "limit")


def _asked() -> timeseries.Panel:
    said = Said(
        "Asked a second (good: as many as its tiers need)",
        "Requests that Triton was asked for answers to.",
        "reqps",
        _IDLE,
        width=8,
    )
    asked = f"sum by (variant) (rate(tailq_asks_total{{{OF_VARIANT}}}[$__rate_interval]))"
    return lines(said, Query(asked, "asked")).min(0)


def _ejections() -> timeseries.Panel:
    said = Said(
        "Left out for a while (good: 0)",
        "How often it, or all of an endpoint, was ejected in the last 5 minutes.",
        "short",
        "Nothing was ever left out",
        width=8,
    )
    ejected = 'tailq_upstream_ejections_total{service="$service",variant=~"$variant|"}'
    increase = f"sum by (endpoint, variant) (increase({ejected}[5m]))"
    return lines(said, Query(increase, "{{endpoint}} {{variant}}")).min(0)
