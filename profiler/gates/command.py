"""`tailq-profile check` and `compare`: from what is on disk to a verdict."""

from collections.abc import Sequence
from pathlib import Path

from profiler.gates.changes import Compared
from profiler.gates.check import check
from profiler.gates.compare import Measured, compare
from profiler.gates.verdicts import Checked
from profiler.measure.unfinished import open_measured
from profiler.record.evidence import evidence_of
from profiler.record.judging import judge_for
from tailq import artefact
from tailq.tier import TierTable


def check_profile(profile: Path, tiers: Path) -> Checked:
    """Hold the tier table against the profile folder, finished or not. Raises ArtefactError."""
    table = artefact.read(tiers, TierTable)
    opened = _opened(profile)
    return check(table, opened.profile, opened.evidence, opened.judge)


def compare_profiles(old: Path, new: Path, deadlines_s: Sequence[float]) -> Compared:
    """Compare two profile folders, finished or not, at these deadlines in seconds.

    deadlines_s: none: those of the new one. Raises ArtefactError.
    """
    was, now = _opened(old), _opened(new)
    own = [at.deadline_s for at in now.profile.variants[0].loads[0].at_deadlines]
    return compare(was, now, deadlines_s or own)


def _opened(folder: Path) -> Measured:
    opened = open_measured(folder)
    evidence = evidence_of(opened.answers, opened.observations)
    return Measured(opened.profile, evidence, judge_for(opened))
