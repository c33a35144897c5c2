"""What every answer says about itself: in headers, in gRPC metadata, and in `parameters`.

One place for both protocols. `parameters` go into the answer's head, since clients such as
tritonclient show neither headers nor trailers; `headers` into HTTP headers or gRPC metadata.
"""

from dataclasses import replace
from typing import Final

from gateway.dataplane import IN_TIME, Answer
from gateway.upstream.base import Failure
from tailq.tier import TierTable

# Seconds after which a shed or failed request may be tried again: load and restarts pass quickly.
RETRY_AFTER_S: Final = 1

Key = tuple[str, str, str, float, float, str | None]


def key(answer: Answer) -> Key:
    """All that parameters() and headers() depend on, to remember what was rendered by."""
    decision = answer.decision
    return (
        answer.outcome,
        answer.variant,
        decision.tier.name,
        decision.promise.deadline_s,
        decision.deadline_s,
        answer.best_effort,
    )


def parameters(answer: Answer) -> dict[str, str | float]:
    """Names that start with tailq_, and their values; milliseconds, and a share in [0, 1].

    The expected quality is the measured one, so there is none where nothing is promised.
    """
    decision = answer.decision
    values: dict[str, str | float] = {
        "tailq_tier": decision.tier.name,
        "tailq_variant": answer.variant,
        "tailq_outcome": answer.outcome,
        "tailq_deadline_ms": round(decision.deadline_s * 1000, 6),
    }
    if answer.best_effort is None:
        values["tailq_expected_quality"] = round(decision.promise.expected_quality, 6)
    return values


def headers(answer: Answer, table: TierTable) -> tuple[tuple[str, str], ...]:
    """Names in lower case and values fit for a header; the guarantee only of a good answer."""
    decision = answer.decision
    known = (
        ("tailq-tier", printable(decision.tier.name)),
        ("tailq-variant", printable(answer.variant)),
        ("tailq-outcome", answer.outcome),
        ("tailq-deadline-ms", f"{decision.deadline_s * 1000:.6g}"),
    )
    if answer.outcome not in IN_TIME:
        return known
    if answer.best_effort is not None:
        return (*known, ("tailq-guarantee", f"none; reason={answer.best_effort}"))
    promise = decision.promise
    return (
        *known,
        ("tailq-expected-quality", f"{promise.expected_quality:.6g}"),
        (
            "tailq-guarantee",
            f"profile={printable(table.conditions.profile)}; "
            f"quality={promise.quality:.6g}; confidence={table.confidence:g}",
        ),
    )


def printable(text: str) -> str:
    """`text` with what may not stand in a header replaced: names come from a file."""
    return "".join(sign if " " <= sign <= "~" else "?" for sign in text)


def unreadable(answer: Answer, why: str) -> Answer:
    """`answer` as none, where it turns out only now that what upstream sent is none.

    In the metrics it stays what it was taken for.
    """
    return replace(answer, outcome="failed", result=Failure("broken", why))


def timing(answer: Answer) -> bytes:
    """The value of Server-Timing: from arrival to Triton, and there; milliseconds."""
    if answer.queue_s is None or answer.upstream_s is None:
        return b"queue;dur=%.3f" % (answer.total_s * 1000)
    return b"queue;dur=%.3f, upstream;dur=%.3f" % (answer.queue_s * 1000, answer.upstream_s * 1000)
