"""`tailq-profile report`: from artefacts on disk to one HTML file."""

from datetime import UTC, datetime
from pathlib import Path

from profiler.measure.unfinished import open_measured
from profiler.record.evidence import evidence_of
from profiler.report.facts import Facts
from profiler.report.page import page
from profiler.report.sections import sections
from tailq import artefact
from tailq.errors import ArtefactError
from tailq.sweep import Sweep
from tailq.tier import TierTable


def write(profile: Path, out: Path, tiers: Path | None, sweep: Path | None) -> int:
    """Write the report of a profile, a tier table compiled from it, and a sweep. Returns bytes.

    Raises ArtefactError if one of them cannot be read or the table is another profile's.
    """
    opened = open_measured(profile)
    table = artefact.read(tiers, TierTable) if tiers else None
    if table and table.conditions.profile != opened.profile.id:
        raise ArtefactError(
            f"{tiers}: was compiled from profile {table.conditions.profile}, not from {profile} "
            f"({opened.profile.id}); compile it again: tailq-profile tiers {profile}"
        )
    facts = Facts(
        opened.profile,
        evidence_of(opened.answers, opened.observations),
        table,
        artefact.read(sweep, Sweep) if sweep else None,
    )
    content = html(facts, datetime.now(UTC)).encode()
    artefact.write_bytes(out, content)
    return len(content)


def html(facts: Facts, written: datetime) -> str:
    """The report as one HTML document."""
    profile = facts.profile
    return page(
        f"{profile.service}: quality at a deadline",
        f"{len(profile.variants)} variants on {profile.server.name} {profile.server.version}, "
        f"{profile.dataset.name}, {profile.metric.name}, {profile.finished:%d %B %Y}.",
        sections(facts),
        written,
    )
