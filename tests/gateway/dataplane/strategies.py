"""Plans at random."""

from hypothesis import strategies as st

from tailq.plan import Cascade, Plan, Race, Rescue, Single
from tests.gateway.dataplane.bench import VARIANTS

CONFIDENCES = [0.0, 0.3, 0.6, 0.9, 1.0]


@st.composite
def plans(draw: st.DrawFn, after_s: st.SearchStrategy[float]) -> Plan:
    """Any plan over VARIANTS. after_s: of a rescue."""
    first, second, *_ = order = draw(st.permutations(VARIANTS))
    thresholds = st.sampled_from(CONFIDENCES)
    match draw(st.sampled_from([Single, Cascade, Race, Rescue])):
        case kind if kind is Single:
            return Single(variant=first)
        case kind if kind is Cascade:
            count = draw(st.integers(2, 4))
            fitting = draw(st.tuples(*[thresholds] * (count - 1)))
            return Cascade(stages=tuple(order[:count]), thresholds=fitting)
        case kind if kind is Race:
            return Race(
                fast=first,
                accurate=second,
                threshold=draw(thresholds),
                terminate=draw(st.booleans()),
            )
    return Rescue(primary=first, rescuer=second, after_s=draw(after_s))
