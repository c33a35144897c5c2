"""What can go wrong while measuring, added to the tree in tailq/errors.py.

TailqError
├── DatasetError            the labelled data are missing or not as they must be
├── ModelError              a model does not fit: missing, other shape, answers not as its task asks
├── TaskError               there is no such task or metric, or a user's own metric misbehaves
├── NoProbes                there can be no probes of a profile: its answers are no classes, or …
├── TritonGone              the server cannot be reached, or stopped serving a model meanwhile
└── Interrupted             the user asked to stop; what was measured is kept
"""

import signal

from tailq.errors import TailqError


class DatasetError(TailqError):
    """The labelled data cannot be read or do not fit the model."""


class ModelError(TailqError):
    """A model is not there, or is not one that can be profiled with these data."""


class TaskError(TailqError):
    """The task or metric that is asked for is not there, or not as it must be."""


class NoProbes(TailqError):
    """The gateway could not send itself samples of this profile, or not judge their answers."""


class TritonGone(TailqError):
    """Triton cannot be reached, or no longer serves what is being measured."""


class Interrupted(TailqError):
    """The measurement was asked to stop. signal: which signal asked."""

    def __init__(self, text: str, signal_: signal.Signals) -> None:
        super().__init__(text)
        self.signal = signal_
