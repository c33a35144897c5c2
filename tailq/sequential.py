"""Statements about a stream of qualities that hold at every moment one looks, for ever.

Contract only: to be written.
"""


class PromiseWatch:
    """Evidence that a promise is broken; an e-process over quality against what was promised."""

    def __init__(self, alpha: float) -> None: ...

    def observe(self, quality: float, promised: float) -> None:
        """One judged request: both in [0, 1]."""

    @property
    def evidence(self) -> float:
        """Over what is needed: >= 1 says broken; falsely with probability <= alpha, ever."""
        return 0.0


class ConfidenceSequence:
    """Interval of the mean of values in [0, 1] that covers at all times with 1 - alpha."""

    def __init__(self, alpha: float) -> None: ...

    def observe(self, value: float) -> None:
        """The next value, in [0, 1]."""

    @property
    def interval(self) -> tuple[float, float]:
        """(lower, upper) in [0, 1]."""
        return (0.0, 1.0)
