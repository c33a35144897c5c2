"""Whether a tier's promise is kept, in a word, and by whose word."""

from gateway.live.glance.correction import surely_less
from gateway.live.names import SOURCES, Source
from gateway.live.view import Span, Verdict


def verdict(evidence: dict[str, float], window: Span) -> tuple[Verdict, list[Source]]:
    """The verdict, and the sources that say so. evidence: by source.

    Labels are few, so that less than promised is below only where chance would not have it; of what
    is expected without them, every request is known.
    """
    broken = [source for source in SOURCES if evidence.get(source, 0.0) >= 1]
    if broken:
        return "broken", broken
    promised = window.promised
    if promised is None:
        return "idle", []
    below = [source for source in SOURCES if _is_below(source, window, promised)]
    return ("below", below) if below else ("kept", [])


def _is_below(source: Source, window: Span, promised: float) -> bool:
    delivered = window.delivered.get(source)
    if delivered is None:
        return False
    if source == "expected":
        return delivered < promised
    return surely_less(delivered, promised, window.judged[source])
