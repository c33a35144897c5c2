"""Faults on a real Triton under load: the right alert fires, and how soon each path sees it."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from loadtest.openloop import Reply
from profiler.datasets.base import Floats
from tests.deploy.prometheus.faults.conftest import Rig
from tests.deploy.prometheus.faults.detection import (
    ANSWERS,
    CALIBRATION,
    CONFIDENCE,
    EXPECTED,
    FEEDBACK,
    LATENCY,
    PATHS,
    PROBE,
    TIER,
    VARIANT,
    Detection,
    fired,
    first_seen,
    others,
    recorded,
    show,
)
from tests.deploy.prometheus.faults.load import grainy, inverted
from tests.deploy.prometheus.faults.weights import load, noisy, relabelled, repeated, seconds

pytestmark = pytest.mark.triton

SLOWER = 5.0
T_SHIRT, SHIRT = 0, 6  # the two classes that are most alike
_NOT_LATENCY = 'alertname!="TailqLatencyDrift"'
_EVIDENCE = f'max(tailq_promise_evidence_ratio{{tier="{TIER}"}})'


@contextmanager
def worse(rig: Rig) -> Iterator[None]:
    """Weights with noise, behind the same name."""
    model = load(rig.served.model(VARIANT))
    with rig.served.exchanged(VARIANT, noisy(model)):
        yield


@contextmanager
def other_classes(rig: Rig) -> Iterator[None]:
    """Weights that mean other classes, as sure of them."""
    model = load(rig.served.model(VARIANT))
    with rig.served.exchanged(VARIANT, relabelled(model, T_SHIRT, SHIRT)):
        yield


@contextmanager
def slow(rig: Rig) -> Iterator[None]:
    """The same answers, of which each keeps Triton busy five times as long."""
    model = load(rig.served.model(VARIANT))
    one = seconds(repeated(model, 50), rig.image) / 50
    times = 1 + round((SLOWER - 1) * rig.table.served[VARIANT].service_s / one)
    with rig.served.exchanged(VARIANT, repeated(model, times)):
        yield


def drifting(how: Callable[[Floats], Floats]) -> Callable[[Rig], AbstractContextManager[None]]:
    """The clients' images are other ones than those of the profile."""

    @contextmanager
    def fault(rig: Rig) -> Iterator[None]:
        rig.load.change(how)
        try:
            yield
        finally:
            rig.load.change(lambda images: images)

    return fault


@dataclass(frozen=True)
class Fault:
    """What is done, which paths have to see it, and which cannot."""

    name: str
    done: Callable[[Rig], AbstractContextManager[None]]
    seen_by: tuple[str, ...]
    blind: tuple[str, ...] = field(default=())


WORSE = Fault("worse weights", worse, (PROBE, FEEDBACK, ANSWERS), (LATENCY,))
OTHER = Fault(
    "other classes",
    other_classes,
    (PROBE, FEEDBACK, ANSWERS, *CALIBRATION),
    (EXPECTED, CONFIDENCE, LATENCY),
)
SLOW = Fault("slowed 5 ×", slow, (LATENCY,), (EXPECTED, PROBE, FEEDBACK, ANSWERS, CONFIDENCE))
NOISE = Fault("noisy images", drifting(grainy), (FEEDBACK, CONFIDENCE), (PROBE, ANSWERS, LATENCY))
INVERSION = Fault(
    "inverted images",
    drifting(inverted),
    (EXPECTED, FEEDBACK, CONFIDENCE),
    (PROBE, ANSWERS, LATENCY),
)


def detect(rig: Rig, fault: Fault, quiet: int, lasting: int) -> Detection:
    """Quiet for so many requests, then the fault for as many and until it has been seen."""
    prometheus, answered = rig.prometheus, rig.load.answered
    rig.load.until_answered(TIER, quiet)
    # Where others take from Triton what it had in the profile, latency does drift: no false alarm.
    assert recorded(prometheus, fired(_NOT_LATENCY), rig.begun, time.time()) == []
    before = len(answered(TIER))
    with fault.done(rig):
        begun, changed = time.time(), len(answered(TIER))
        for path in fault.seen_by:
            alert = fired(PATHS[path])
            prometheus.until(partial(prometheus.query, alert), timeout_s=300, what=path)
        rig.load.until_answered(TIER, max(0, changed + lasting - len(answered(TIER))))
        ended, until = time.time(), len(answered(TIER))
        seen = {path: first_seen(prometheus, alert, begun, ended) for path, alert in PATHS.items()}
        assert not {path for path in fault.blind if seen[path] is not None}
        assert prometheus.number("min(tailq_fingerprint_match)") == 1
    return Detection(
        fault.name,
        seen,
        promised=rig.promised(TIER),
        before=right(answered(TIER)[:before]),
        during=right(answered(TIER)[changed:until]),
        recovered_s=None,
        also=others(prometheus, begun, ended),
    )


def recovered(rig: Rig) -> float:
    """Seconds until no source says any more that the promise is being broken."""
    return rig.prometheus.until(
        lambda: rig.prometheus.number(_EVIDENCE) < 1, timeout_s=300, what="evidence to go"
    )


def right(replies: list[Reply]) -> float:
    """The share that was answered right, and so in time: the gateway says nothing later."""
    return sum(reply.correct for reply in replies) / len(replies)


# What is seen in the time that a quick test has, on whatever machine.
SOON = (
    replace(OTHER, seen_by=(ANSWERS,), blind=(EXPECTED, CONFIDENCE)),
    replace(INVERSION, blind=(PROBE, ANSWERS)),
)


@pytest.mark.parametrize("fault", SOON, ids=lambda fault: fault.name)
def test_the_right_alert_fires(rig: Rig, fault: Fault) -> None:
    """Nothing while nothing is wrong; then those that can see the fault, and no other one."""
    detect(rig, fault, quiet=400, lasting=0)


@pytest.fixture(scope="module")
def detections() -> Iterator[list[Detection]]:
    """Of every fault; shown together when all are over."""
    found: list[Detection] = []
    yield found
    if found:
        show(found)


@pytest.mark.detection
@pytest.mark.parametrize(
    "fault", [WORSE, OTHER, SLOW, NOISE, INVERSION], ids=lambda fault: fault.name
)
def test_time_to_detection(rig: Rig, fault: Fault, detections: list[Detection]) -> None:
    """Each path in its own time; and when the fault is over, evidence goes."""
    found = detect(rig, fault, quiet=1000, lasting=2400)
    detections.append(replace(found, recovered_s=recovered(rig)))
