"""Why no plan keeps a tier's limit, by how much the nearest misses it, and what would help."""

import math
from collections.abc import Callable, Collection, Sequence

from profiler.tiers.candidates import IN_FLIGHT_OF_A_RACE, Candidate
from profiler.tiers.proof import Method, Proof, required
from profiler.tiers.spec import Kind
from tailq.plan import Plan
from tailq.tier import Limit, Reference

# Of the plans that came nearest when measured, how many are looked at closely.
_CLOSELY = 8


def shortfall(
    every: Sequence[Candidate],
    method: Method,
    limit: Limit,
    deadline_s: float,
    reference: Reference,
    expected: Callable[[Plan, int], float],
) -> str:
    """One line for people.

    deadline_s: where latencies were measured. expected: measured quality of a plan at a load.
    """
    promising = sorted(every, key=lambda c: c.expected, reverse=True)[:_CLOSELY]
    proofs = [(method.proof(c.plan, limit, deadline_s), c) for c in promising]
    proof, nearest = max(proofs, key=lambda pair: pair[0].slack)
    asked = required(limit, reference.quality)
    seen = expected(nearest.plan, proof.load)
    return (
        f"nearest is {nearest.plan}, short by {-proof.slack:.4f}: {asked:.4f} is asked for, "
        f"{seen:.4f} was measured, {proof.quality:.4f} is proven, "
        f"with at most {proof.lost_at_most:.4f} lost to lateness (at load {proof.load}); "
        f"{_help(proof, seen - asked, reference.quality - asked)}"
    )


def left_out(kinds: Collection[Kind], unsure: Sequence[str], most: int) -> list[str]:
    """Plans of these kinds that the profile gives no ground for, and why; a line for each reason.

    unsure: variants that do not tell their confidence. most: the highest profiled load.
    """
    said = []
    if unsure and {"cascade", "race"} & set(kinds):
        said.append(
            f"no cascade or race begins with {', '.join(unsure)}: the profile does not say which "
            "output tells the confidence; if the model has one, profile it again"
        )
    if "race" in kinds and most < IN_FLIGHT_OF_A_RACE:
        said.append(
            f"no races: they have {IN_FLIGHT_OF_A_RACE} requests in flight, and no such load was "
            "profiled"
        )
    return said


def _help(proof: Proof, spare: float, tolerated: float) -> str:
    """spare: quality measured above the limit. tolerated: between the reference and the limit."""
    if spare > 0:
        # What is not proven of it shrinks with the root of the number of samples, or faster.
        times = math.ceil(((spare - proof.slack) / spare) ** 2)
        if times <= 100:
            return f"about {times} times the samples and rounds in the profile may prove it"
    if proof.lost_at_most > max(tolerated, 0.0) / 2:
        return "a later deadline or a faster variant would help"
    return "a greater tolerance or a better variant would help"
