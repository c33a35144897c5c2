"""What a client is told in words when it gets no answer: the same over both protocols."""

import re
from typing import Final

from gateway.dataplane import Answer
from gateway.upstream.base import Failure, Refusal
from tailq.route import BestEffort

# Of a shed request, where it is not just that there are too many.
_WHY_SHED: Final[dict[BestEffort | None, str]] = {
    "unavailable": "no variant that serves tier {tier} can be asked now; try again",
    "fingerprint": "the model server serves something else than was profiled, and tier "
    "{tier} is not likely to answer in time; try again later",
    "deadline": "tier {tier} promises nothing within {ms:g} ms, and {rather}; allow more time "
    "or ask for another tier",
    "confidence": "the answers do not tell the confidence that tier {tier} goes by, and it "
    "{rather}",
}
# Why that is not answered without a promise: as the tier says, or since nothing likely comes of it.
_RATHER: Final = {
    "shed": "would rather refuse than answer without a promise",
    "best_effort": "is not likely to answer in time",
}


def why_not(answer: Answer, service: str) -> str:
    """Why `answer` is none, and what to do. `service`: its name stands for those of variants."""
    decision = answer.decision
    match answer.result:
        case Refusal(detail):
            return _own_name(detail, answer, service)
        case Failure(kind, detail):
            text = f"the model server gave no answer ({kind}: {detail}); try again"
            return _own_name(text, answer, service)
    ms = decision.deadline_s * 1000
    if answer.outcome == "late":
        return f"no answer within the deadline of {ms:g} ms"
    if answer.outcome == "failed":
        return "no variant can be served now; try again"
    why = _WHY_SHED.get(answer.best_effort or decision.best_effort)
    if why is None:
        return "too many requests in flight; try again"
    tier = decision.tier
    return why.format(tier=tier.name, ms=ms, rather=_RATHER[tier.otherwise])


def _own_name(text: str, answer: Answer, service: str) -> str:
    """`text` without the names of the variants asked, and of their instances (small_0_0)."""
    names = "|".join(map(re.escape, answer.asked or (answer.variant,)))
    return re.sub(rf"(['\"])(?:{names})(?=(?:_\d+)*\1)", lambda found: found[1] + service, text)
