"""Every metric of the gateway by name: what it says, its unit, its labels, how it adds up.

docs/metrics.md is generated from this file. Labels are bounded by the tier table and the settings:
tier, variant, outcome, endpoint, client, and a few fixed words; `service` comes before them where
a metric has labels at all. Counters and histograms add up across processes and replicas; what
becomes of a gauge is said beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.live.histogram import Histogram

Kind = Literal["counter", "gauge", "histogram"]
# Of a gauge that several processes have. sum: of what each holds. max, min: of what all see of the
# same thing. mean: of evidence, which may be averaged but neither added nor picked from.
Rule = Literal["sum", "max", "min", "mean"]


@dataclass(frozen=True, slots=True, eq=False)
class Spec:
    """One metric. name: as in `# HELP`; samples of a counter end in _total. rule: of a gauge."""

    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...] = ()
    rule: Rule | None = None


# One series of a metric: the values of its labels, without `service`, and its number.
Point = tuple[Spec, tuple[str, ...], float | Histogram]
Points = Iterable[Point]

# How a request's quality at the deadline is known. expected: of every request, by the calibrated
# confidence of its answer, without a label. feedback: of requests whose label a client told.
# probe: of labelled samples of the profile that the gateway sends itself; no client's requests.
Source = Literal["expected", "feedback", "probe"]
SOURCES: Final[tuple[Source, ...]] = ("expected", "feedback", "probe")


# Requests

REQUESTS: Final = Spec(
    "tailq_requests",
    "counter",
    "Requests by how they ended; tier and variant are empty where it did not come that far.",
    ("tier", "variant", "outcome"),
)
DURATION: Final = Spec(
    "tailq_request_duration_seconds",
    "histogram",
    "From the head of a request to its answer. Each deadline of the tier is a bucket's edge.",
    ("tier",),
)
BEST_EFFORT: Final = Spec(
    "tailq_best_effort",
    "counter",
    "Answers by the deadline that are held to no promise, by why.",
    ("tier", "reason"),
)
SHED: Final = Spec(
    "tailq_shed",
    "counter",
    "Requests that were not tried, by what kept the promise; load: waits and held bodies, too.",
    ("tier", "reason"),
)

# Quality at the deadline, live

JUDGED: Final = Spec(
    "tailq_quality_judged",
    "counter",
    "Requests that were held against their promise, by how their quality is known.",
    ("tier", "source"),
)
DELIVERED: Final = Spec(
    "tailq_quality_delivered",
    "counter",
    "Quality at the deadline of judged requests, added up; late, shed and failed ones add nothing.",
    ("tier", "source"),
)
PROMISED: Final = Spec(
    "tailq_quality_promised",
    "counter",
    "Quality that judged requests were promised, added up.",
    ("tier", "source"),
)
ROUND: Final = Spec(
    "tailq_round_quality_ratio",
    "histogram",
    "Judged requests by the quality of their round: of 100 that follow each other. Where that is "
    "expected and not known, by how probable it is.",
    ("tier", "source"),
)
EVIDENCE: Final = Spec(
    "tailq_promise_evidence_ratio",
    "gauge",
    "Evidence that the promise is broken, over what is needed to say so: 1 or more says it is. "
    "However long one watches, that is said falsely with at most the table's 1 - confidence.",
    ("tier", "source"),
    "mean",
)
LOWER: Final = Spec(
    "tailq_quality_lower_ratio",
    "gauge",
    "Lower end of the confidence interval of the mean quality at the deadline since the start or "
    "the last other table; it may be looked at at any time.",
    ("tier", "source"),
    "min",
)
UPPER: Final = Spec(
    "tailq_quality_upper_ratio",
    "gauge",
    "Upper end of the same interval.",
    ("tier", "source"),
    "max",
)

# What is promised, and what the profile foretells

PROMISE: Final = Spec(
    "tailq_promise_ratio",
    "gauge",
    "Quality at the tier's own deadline that is promised.",
    ("tier",),
    "max",
)
EXPECTED: Final = Spec(
    "tailq_expected_quality_ratio",
    "gauge",
    "Quality at the tier's own deadline as it was measured by the profile.",
    ("tier",),
    "max",
)
DEADLINE: Final = Spec(
    "tailq_tier_deadline_seconds", "gauge", "The tier's own deadline.", ("tier",), "max"
)
PROFILED_ROUND: Final = Spec(
    "tailq_profiled_round_quality_ratio",
    "gauge",
    "Quantiles of the quality of a round, as the profile foretells them for the tier's own plan.",
    ("tier", "level"),
    "max",
)
MEASURED: Final = Spec(
    "tailq_profile_measured_timestamp_seconds",
    "gauge",
    "When the profile that the tiers rest on was finished, by its id.",
    ("profile",),
    "min",
)
FINGERPRINT: Final = Spec(
    "tailq_fingerprint_match",
    "gauge",
    "Whether Triton serves what was profiled, as far as it tells.",
    ("variant",),
    "min",
)

# Whether what the profile says still holds

CONFIDENCE: Final = Spec(
    "tailq_confidence_answers",
    "counter",
    "Answers of the variant that was asked first, by bin of the profile's confidences.",
    ("variant", "bin"),
)
CONFIDENCE_PROFILED: Final = Spec(
    "tailq_confidence_profiled_ratio",
    "gauge",
    "Share of the profile's samples in each of these bins.",
    ("variant", "bin"),
    "max",
)
UNREAD: Final = Spec(
    "tailq_confidence_unread",
    "counter",
    "Answers in time that did not tell how sure they are; the profile's quality is expected.",
    ("variant",),
)
COMPARED: Final = Spec(
    "tailq_latency_compared",
    "counter",
    "Answers of Triton whose latency was compared with the profile's at the same load.",
    ("variant",),
)
BEYOND: Final = Spec(
    "tailq_latency_beyond",
    "counter",
    "Those of them that took longer than this quantile of the profile's.",
    ("variant", "level"),
)
CORRECTION: Final = Spec(
    "tailq_latency_correction_ratio",
    "gauge",
    "Latency as observed over latency as profiled, by which decisions are corrected.",
    ("variant",),
    "max",
)
CALIBRATION_JUDGED: Final = Spec(
    "tailq_calibration_judged",
    "counter",
    "Answers in time whose quality was expected by their confidence and is known by now.",
    ("variant", "source"),
)
CALIBRATION_EXPECTED: Final = Spec(
    "tailq_calibration_expected",
    "counter",
    "What was expected of them, added up.",
    ("variant", "source"),
)
CALIBRATION_DELIVERED: Final = Spec(
    "tailq_calibration_delivered",
    "counter",
    "What their quality is, added up.",
    ("variant", "source"),
)
FEEDBACK: Final = Spec(
    "tailq_feedback",
    "counter",
    "Labels that clients told, by what became of them.",
    ("result",),
)
PROBES: Final = Spec(
    "tailq_probes",
    "counter",
    "Labelled samples that the gateway sent itself, by how they ended.",
    ("tier", "outcome"),
)
PROBE_ANSWERS: Final = Spec(
    "tailq_probe_answers",
    "counter",
    "Answers to them: same, or other than the profile's of the same variant to the same sample.",
    ("variant", "result"),
)

# Triton, as the gateway sees it

UPSTREAM_DURATION: Final = Spec(
    "tailq_upstream_duration_seconds",
    "histogram",
    "What Triton took, abandoned requests and probes included, until it really ended.",
    ("variant",),
)
ASKS: Final = Spec(
    "tailq_asks", "counter", "Requests that Triton was asked for answers to.", ("variant",)
)
RETRIES: Final = Spec(
    "tailq_upstream_retries", "counter", "Requests that were asked at a second endpoint."
)
EJECTIONS: Final = Spec(
    "tailq_upstream_ejections",
    "counter",
    "How often an endpoint (variant is empty), or a variant at one, was left out for a while.",
    ("endpoint", "variant"),
)
UPSTREAM_UP: Final = Spec(
    "tailq_upstream_up",
    "gauge",
    "Whether Triton answered when last asked.",
    ("endpoint",),
    "min",
)
UPSTREAM_EJECTED: Final = Spec(
    "tailq_upstream_ejected",
    "gauge",
    "Whether an endpoint is left out for now: it is down, or its requests failed.",
    ("endpoint",),
    "max",
)
ABSENT: Final = Spec(
    "tailq_variant_absent",
    "gauge",
    "Whether a variant cannot be asked at any endpoint at present.",
    ("variant",),
    "max",
)

# Load

OUTSTANDING: Final = Spec(
    "tailq_outstanding",
    "gauge",
    "Requests at Triton now, abandoned ones included.",
    rule="sum",
)
OUTSTANDING_SECONDS: Final = Spec(
    "tailq_outstanding_seconds",
    "gauge",
    "Device-seconds that the requests at Triton now are worth.",
    rule="sum",
)
OTHERS: Final = Spec(
    "tailq_others_outstanding",
    "gauge",
    "Requests at Triton that are not this process's, as far as is seen: of sibling workers, and of "
    "other gateways where Triton's metrics are read.",
    rule="max",
)
OTHERS_SECONDS: Final = Spec(
    "tailq_others_outstanding_seconds",
    "gauge",
    "Device-seconds that they are worth.",
    rule="max",
)
DRAIN: Final = Spec(
    "tailq_drain_ratio",
    "gauge",
    "Device-seconds of work that end at Triton in a second while requests wait for a place.",
    rule="sum",
)
IN_FLIGHT: Final = Spec(
    "tailq_in_flight", "gauge", "Requests at Triton now, by variant.", ("variant",), "sum"
)
WAITING: Final = Spec("tailq_waiting", "gauge", "Requests that wait for a place.", rule="sum")
LIMIT: Final = Spec(
    "tailq_limit",
    "gauge",
    "Requests that may be at Triton at once, by variant.",
    ("variant",),
    "min",
)

# Clients and processes

CLIENT_REQUESTS: Final = Spec(
    "tailq_client_requests",
    "counter",
    "Requests that a client was allowed; none are counted for clients without key or bounds.",
    ("client",),
)
REFUSALS: Final = Spec(
    "tailq_client_refusals",
    "counter",
    "Requests that a client was not allowed, by why; client is empty where it is not known.",
    ("client", "reason"),
)
RELOADS: Final = Spec(
    "tailq_reloads",
    "counter",
    "Changed files that were taken (ok) or refused.",
    ("file", "result"),
)
RESTARTS: Final = Spec("tailq_worker_restarts", "counter", "Worker processes that ended unbidden.")
WORKERS: Final = Spec("tailq_workers", "gauge", "Worker processes that serve.", rule="sum")

# docs/metrics.md has a table for each.
SECTIONS: Final[Mapping[str, tuple[Spec, ...]]] = {
    "Requests": (REQUESTS, DURATION, BEST_EFFORT, SHED),
    "Quality at the deadline, live": (JUDGED, DELIVERED, PROMISED, ROUND, EVIDENCE, LOWER, UPPER),
    "What is promised, and what the profile foretells": (
        PROMISE,
        EXPECTED,
        DEADLINE,
        PROFILED_ROUND,
        MEASURED,
        FINGERPRINT,
    ),
    "Whether what the profile says still holds": (
        CONFIDENCE,
        CONFIDENCE_PROFILED,
        UNREAD,
        COMPARED,
        BEYOND,
        CORRECTION,
        CALIBRATION_JUDGED,
        CALIBRATION_EXPECTED,
        CALIBRATION_DELIVERED,
        FEEDBACK,
        PROBES,
        PROBE_ANSWERS,
    ),
    "Triton, as the gateway sees it": (
        UPSTREAM_DURATION,
        ASKS,
        RETRIES,
        EJECTIONS,
        UPSTREAM_UP,
        UPSTREAM_EJECTED,
        ABSENT,
    ),
    "Load": (
        OUTSTANDING,
        OUTSTANDING_SECONDS,
        OTHERS,
        OTHERS_SECONDS,
        DRAIN,
        IN_FLIGHT,
        WAITING,
        LIMIT,
    ),
    "Clients and processes": (CLIENT_REQUESTS, REFUSALS, RELOADS, RESTARTS, WORKERS),
}
SPECS: Final = tuple(spec for section in SECTIONS.values() for spec in section)
