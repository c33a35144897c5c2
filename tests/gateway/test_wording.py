"""What a client is told in words when it gets no answer."""

from dataclasses import replace

import pytest

from gateway.dataplane import Answer, Outcome
from gateway.upstream.base import Failure, Refusal, Result
from gateway.wording import why_not
from tailq.plan import Cascade
from tailq.route import Ask, BestEffort, Load, Router
from tests.tables import promise, table, tier

PLAN = Cascade(stages=("small", "large"), thresholds=(0.9,))
TABLE = table(tier("gold", 0.0, promise(PLAN, 0.05)))


def answer(
    outcome: Outcome = "shed", result: Result | None = None, because: BestEffort | None = None
) -> Answer:
    """An answer of a cascade of which both stages were asked."""
    decision = Router(TABLE).decide(Ask(tier="gold"), 0.0, Load())
    return Answer(
        outcome,
        replace(decision, best_effort=because),
        result,
        0.05,
        variant="small",
        best_effort=because,
        asked=("small", "large"),
    )


@pytest.mark.parametrize(
    ("because", "says"),
    [
        (None, "too many requests in flight"),
        ("load", "too many requests in flight"),
        ("unavailable", "no variant that serves tier gold can be asked now"),
        ("fingerprint", "something else than was profiled"),
        ("deadline", "nothing within 50 ms"),
        ("confidence", "do not tell the confidence"),
    ],
)
def test_a_shed_request_is_told_why(because: BestEffort | None, says: str) -> None:
    """Overload is not the same as nothing to ask: a client does other things about it."""
    assert says in why_not(answer(because=because), "fashion")


def test_only_a_tier_that_would_rather_refuse_is_said_to() -> None:
    """Another one is shed when nothing is likely to come of it."""
    shed = answer(because="deadline")
    assert "is not likely to answer in time" in why_not(shed, "fashion")
    strict = shed.decision.tier.model_copy(update={"otherwise": "shed"})
    shed = replace(shed, decision=replace(shed.decision, tier=strict))
    assert "would rather refuse" in why_not(shed, "fashion")


def test_a_late_one_is_told_its_deadline() -> None:
    """The one that was applied."""
    assert why_not(answer("late"), "fashion") == "no answer within the deadline of 50 ms"


def test_a_failure_without_a_word_of_upstream_is_told_as_such() -> None:
    """There was nobody to ask."""
    assert why_not(answer("failed"), "fashion").startswith("no variant can be served now")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("bad shape for model 'small'", "bad shape for model 'fashion'"),
        ("model 'large', not \"small\"", "model 'fashion', not \"fashion\""),
        ("model instance 'small_0_1' failed", "model instance 'fashion_0_1' failed"),
        ("too small for 'smaller' and 'small talk'", "too small for 'smaller' and 'small talk'"),
        ("'small\"", "'small\""),
    ],
)
def test_the_names_of_variants_are_not_a_clients_business(said: str, told: str) -> None:
    """Any that was asked, and its instances; other words stay."""
    assert why_not(answer("invalid", Refusal(said)), "fashion") == told
    failed = answer("failed", Failure("unavailable", said))
    assert told in why_not(failed, "fashion")


def test_a_service_may_have_any_name() -> None:
    """It is put in as it is."""
    assert why_not(answer("invalid", Refusal("'small'")), r"a\1") == r"'a\1'"
