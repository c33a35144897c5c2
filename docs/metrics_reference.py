"""Write docs/metrics.md from gateway/live/names.py."""

from pathlib import Path
from typing import Final

from gateway.live import names
from gateway.live.histogram import EDGES
from gateway.live.names import Spec
from tailq.artefact import write_bytes

FILE: Final = Path(__file__).parent / "metrics.md"
_MERGED: Final = {
    None: "sum",
    "sum": "sum",
    "max": "greatest",
    "min": "least",
    "mean": "mean",
}


def content() -> str:
    """The whole file."""
    tables = "\n".join(
        f"## {heading}\n\n{_table(specs)}" for heading, specs in names.SECTIONS.items()
    )
    return f"{_HEAD}\n{tables}"


def _table(specs: tuple[Spec, ...]) -> str:
    rows = "".join(f"{_row(spec)}\n" for spec in specs)
    return f"| metric | labels | | of several |\n| --- | --- | --- | --- |\n{rows}"


def _row(spec: Spec) -> str:
    name = f"{spec.name}_total" if spec.kind == "counter" else spec.name
    labels = ", ".join(spec.labels)
    return f"| `{name}`, {spec.kind} | {labels} | {spec.text} | {_MERGED[spec.rule]} |"


_SECONDS: Final = ", ".join(f"{edge:g}" for edge in EDGES)
_HEAD: Final = f"""# Metrics

Generated from `gateway/live/names.py` by `make metrics`; a test holds it against a running gateway.

The gateway tells them at the admin listener's `/metrics`, in Prometheus' own format or, where it is
asked for, in OpenMetrics. Names end in the base unit: seconds, or a ratio. Where a metric has
labels at all, `service` comes before those named here; their values are from the tier table, the
settings and a few fixed words, so their number is bounded. Beside these there are
prometheus-client's `process_` metrics.

`source` says how quality is known. `expected`: of every request, by the calibrated confidence of
its answer, without a label. `feedback`: of requests of which a client told what is right. `probe`:
of labelled samples that the gateway sends itself; they are not among clients' requests.

**of several**: what becomes of the numbers of several worker processes, and what is to be done with
those of several gateways. Counters and histograms add up; sums are rounded to a millionth in each
process, so that they are the same in whatever order they are added up. Evidence is averaged, which
is what it allows: the mean of e-values is one, the greatest of them is not.

Buckets: seconds {_SECONDS}, and in `tailq_request_duration_seconds`
each deadline of the tier; quality of rounds around each hundredth from 0.5 on, and in tenths below.
Numbers in buckets are rounded to whole ones when they are written, since OpenMetrics has no others.
Where requests are traced, `tailq_request_duration_seconds` shows with each bucket the trace of the
last request in it (an exemplar; OpenMetrics only).
"""


if __name__ == "__main__":
    write_bytes(FILE, content().encode())
