"""The gateway without live accounting, which nobody can have: it counts requests, judges none.

`python -m benchmarks.live.bare` takes what `tailq-gateway` takes.
"""

from gateway import cli
from gateway.app import Gateway, assemble
from gateway.live.metrics import Metrics
from gateway.serving import alone


class Bare:
    """A dataplane.Recorder."""

    def __init__(self, metrics: Metrics) -> None:
        self.answered = metrics.answered
        self.refused = metrics.refused
        self.upstream_ended = metrics.upstream_ended

    def compared(self, variant: str, beyond: int) -> None:
        """See Recorder."""


def without(gateway: Gateway) -> Gateway:
    """Take live accounting out of it."""
    gateway.service.dataplane.recorder = Bare(gateway.metrics)
    return gateway


def main() -> None:
    """Serve, as the command does."""
    alone.assemble = lambda *given: without(assemble(*given))  # type: ignore[attr-defined]
    cli.main()


if __name__ == "__main__":
    main()
