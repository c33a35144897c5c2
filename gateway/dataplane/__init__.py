"""One request from arrival to answer, transport-free: the owner of the clock.

plane.py decides and starts; execution.py is one request; plans/ conducts it as its plan says;
work.py is one call upstream, which may outlive its request.
"""

from gateway.dataplane.execution import Execution
from gateway.dataplane.margin import MARGIN_S
from gateway.dataplane.outcome import IN_TIME, NOT_COUNTED, Answer, Outcome, Recorder
from gateway.dataplane.plane import Dataplane, Limits
from gateway.dataplane.reading import Read, Reading

__all__ = [
    "IN_TIME",
    "MARGIN_S",
    "NOT_COUNTED",
    "Answer",
    "Dataplane",
    "Execution",
    "Limits",
    "Outcome",
    "Read",
    "Reading",
    "Recorder",
]
