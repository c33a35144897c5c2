"""What is known of one request when it has ended: the common coin of all live estimators."""

from dataclasses import dataclass


@dataclass(slots=True)
class Judged:
    """A request that is held against its promise.

    tier, variant: names; variant is whose answer it is. promised: quality at its deadline that its
    promise names. expected: of its answer, by its calibrated confidence, in [0, 1]; 0 where it was
    late, shed or failed. in_time: whether there was an answer by the deadline. classes: answered,
    one for each sample of the batch; None: the answer is no class, or could not be read.
    by_confidence: whether `expected` is of this answer; otherwise it did not tell, and what the
    profile has of all answers stands in. table: the number of the tier table that was served then.
    """

    tier: str
    variant: str
    promised: float
    expected: float
    in_time: bool
    classes: tuple[int, ...] | None = None
    by_confidence: bool = True
    table: int = 0
