"""Reading what an unfinished measurement left, as if it were a profile."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from profiler.measure.conditions import busy
from profiler.measure.describe import Context, Ending, describe
from profiler.measure.journal import Journal, Plan
from profiler.measure.partial import PLAN, Found
from profiler.record.observations import OpenProfile, digest, encode, open_profile
from tailq.errors import ArtefactError
from tailq.profile import Convergence


def open_measured(folder: Path) -> OpenProfile:
    """Open a profile, or what is there of one in OUT.partial; then `stopped_by` is "interrupted".

    It may still be being measured. Raises ArtefactError as `open_profile` does, or if not even one
    round was timed.
    """
    if not (folder / PLAN).exists():
        return open_profile(folder)
    return _opened(Journal(Found(folder, Plan)))


def _opened(journal: Journal) -> OpenProfile:
    plan, folder = journal.plan, journal.folder
    timed = [len(journal.rounds(condition)) for condition in busy(plan.loads)]
    if not any(timed):
        raise ArtefactError(f"{folder}: {_so_far(journal)}")
    answers, observations = journal.answers(), journal.observations()
    ending = Ending(
        stopped_by="interrupted",
        convergence=[
            Convergence(rounds=max(timed), inferences=len(observations), rjsd=None, half_width=None)
        ],
        finished=datetime.fromtimestamp(folder.stat().st_mtime, UTC),
    )
    id_ = digest(encode(answers) + encode(observations))[:16]
    context = Context.read(folder)
    profile = describe(plan, context, ending, answers, observations, id_, files={})
    return OpenProfile(folder, profile, answers, observations)


def _so_far(journal: Journal) -> str:
    """What is there before anything was timed."""
    resume = "the command that began it goes on with it"
    if not journal.resumed:
        return f"nothing is measured there yet; {resume}"
    answers = journal.answers()
    of_variant = [answers.score[answers.variant == i] for i in range(len(answers.variants))]
    qualities = ", ".join(
        f"{name} {np.mean(score):.1%}"
        for name, score in zip(answers.variants, of_variant, strict=True)
    )
    return (
        f"nothing is timed there yet; mean score of the answers to {len(of_variant[0])} of "
        f"{journal.plan.dataset.samples} samples: {qualities}; {resume}"
    )
