"""The forecast: foresight rounded to the safe side and remembered, against plain foresight."""

from hypothesis import given
from hypothesis import strategies as st

from tailq import forecast
from tailq.forecast import LEAST_LEFT_S, Forecast, left_code, work_code
from tailq.foresight import beside, foresee
from tailq.load import LatencyUnderLoad
from tailq.outlook import Outlook
from tailq.plan import Cascade, Race
from tailq.tier import Option, Served
from tests.served import models, option, options, served

NAMES = ("a", "b", "c")
SERVICE_S = 0.01
DEADLINE_S = 2.0


def plain(
    one: Option, outlook: Outlook, left_s: float, work: float, slower: float = 1.0
) -> tuple[float, float]:
    """Quality and share answered, reckoned without rounding, codes or memory."""
    latencies = []
    for name, others in zip(one.plan.variants, beside(one.plan), strict=True):
        latency = outlook.latency(name, work + SERVICE_S * len(others), 0.0)
        latencies.append(
            type(latency)([seconds * slower for seconds in latency.seconds], latency.within)
        )
    seen = foresee(one, latencies, left_s, DEADLINE_S)
    return seen.quality, seen.answered


@given(
    options(),
    st.lists(models(), min_size=3, max_size=3),
    st.lists(st.tuples(st.sampled_from(NAMES), st.floats(1e-3, 3), st.floats(0, 1)), max_size=20),
    st.floats(0, 3),
    st.floats(0, 2),
)
def test_it_is_foresight_on_the_safe_side(
    one: Option,
    family: list[LatencyUnderLoad],
    seen: list[tuple[str, float, float]],
    left_s: float,
    work: float,
) -> None:
    """No more than plain foresight; no less than it with a little less time and more work.

    Less: 2 % by the grid of time, two steps of corrections and, where latencies are added up or
    race in cells that begin elsewhere, two cells of 64, on either side.
    """
    outlook = Outlook(
        {
            name: Served(service_s=SERVICE_S, under_load=model)
            for name, model in zip(NAMES, family, strict=True)
        }
    )
    for name, took, at in seen:
        outlook.observe(name, took, at, 0.0, ended=True)
    outlook.settle()
    told = Forecast(one, DEADLINE_S, outlook).at(left_code(left_s), work_code(work), 0.0)
    cells = 1 - 2 / 64 if isinstance(one.plan, Cascade | Race) else 1.0
    most, answered = plain(one, outlook, left_s / cells, work)
    assert told.quality <= most + 1e-9
    assert told.answered <= answered + 1e-9
    less_s = 0.0 if left_s < LEAST_LEFT_S else left_s / 1.02 * cells
    least, _ = plain(one, outlook, less_s, max(work, 1e-4) * 1.05 if work else 0.0, 1.1053)
    assert told.quality >= least - 1e-9


def test_the_same_state_is_computed_once() -> None:
    """Nearly the same time and work are the same; another correction is not."""
    outlook = Outlook({"a": served(0.01)})
    one = Forecast(option("a", (1.0, 0.9)), 0.1, outlook)
    seen = one.at(left_code(0.0999), work_code(0.01), 0.0)
    assert one.at(left_code(0.0998), work_code(0.0101), 5.0) is seen
    for _ in range(20):
        outlook.observe("a", 0.1, 0.0, 5.0, ended=True)
    assert one.at(left_code(0.0999), work_code(0.01), 5.0) is not seen
    assert one.profiled(left_code(0.0999), work_code(0.01)) is seen


def test_what_is_remembered_is_bounded_whatever_is_asked() -> None:
    """Clients may ask any deadline at any load."""
    one = Forecast(option("a", (1.0, 0.9)), 0.1, Outlook({"a": served(0.01)}))
    for left in range(60):
        for work in range(60):
            one.at(left, work, 0.0)
    assert len(one._remembered) <= forecast._REMEMBERED < 3600


def test_codes_of_time_and_work() -> None:
    """No time and no work have codes of their own; more is never coded less."""
    assert left_code(0.0) == left_code(-1.0) == left_code(float("nan")) == -1
    assert work_code(0.0) == 0 < work_code(1e-9)
    assert left_code(0.1) <= left_code(0.1001) < left_code(0.103)
    assert work_code(0.1) <= work_code(0.1001) < work_code(0.106)
