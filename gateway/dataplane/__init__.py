"""One request from arrival to answer, transport-free: the owner of the clock."""

from gateway.dataplane.outcome import Answer, Outcome, Recorder
from gateway.dataplane.plane import Dataplane, Execution, Limits

__all__ = ["Answer", "Dataplane", "Execution", "Limits", "Outcome", "Recorder"]
