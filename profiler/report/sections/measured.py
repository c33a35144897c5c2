"""What was measured, when, where, and exactly which models."""

from profiler.report.content import Section, Table, Terms
from profiler.report.facts import Facts
from profiler.report.words import count, duration, listed, ms_number, percent, span
from tailq.profile import Profile

_STOPPED = {
    "converged": "the published rule was met (rJSD at most 0.05)",
    "precise": "the 5 % tail of quality was known to the asked precision",
    "budget": "the budget was used up before the figures had settled",
    "interrupted": "partial: it was interrupted, and the same command goes on with it",
}
_DIGITS = 16


def measured(facts: Facts) -> Section:
    """The conditions that every figure of the page holds under."""
    profile = facts.profile
    requests = sum(at.requests for variant in profile.variants for at in variant.loads)
    rounds = min(at.rounds for variant in profile.variants for at in variant.loads)
    flight = listed([str(load) for load in sorted(profile.loads)])
    terms = Terms(
        [
            ("Service", f"{profile.service}, {len(profile.variants)} variants"),
            ("Quality", f"{profile.metric.name} ({profile.metric.task})"),
            ("Data", f"{profile.dataset.name}, {count(profile.dataset.samples)} samples"),
            ("Server", f"{profile.server.name} {profile.server.version}"),
            ("Measured", span(profile.started, profile.finished)),
            ("Went for", duration(profile.finished - profile.started)),
            ("Loads", f"{flight} requests in flight, the variants in turn"),
            ("Timed", f"{count(requests)} requests in {count(rounds)} rounds a load"),
            ("Ended as", _STOPPED[profile.stopped_by]),
            ("Profile", profile.id),
            ("Data's SHA-256", profile.dataset.sha256),
        ]
    )
    return Section(
        "measured",
        "What was measured",
        "Every figure holds for this system under these conditions.",
        [terms, _variants(facts, profile)],
    )


def _variants(facts: Facts, profile: Profile) -> Table:
    by_name = {variant.name: variant for variant in profile.variants}
    ordered = [by_name[name] for name in facts.names]
    failed = {v.name: sum(at.failed for at in v.loads) for v in ordered}
    return Table(
        "The variants as Triton served them",
        (
            "variant",
            "quality",
            "device time, ms",
            "failed",
            "version",
            f"fingerprint, first {_DIGITS} digits",
        ),
        [
            (
                v.name,
                percent(v.quality, 2),
                ms_number(v.service_s),
                count(failed[v.name]),
                v.version,
                v.fingerprint[:_DIGITS],
            )
            for v in ordered
        ],
        numbers=frozenset({1, 2, 3, 4}),
    )
