"""Metrics as Prometheus reads them, in its own format or in OpenMetrics, as it asks for.

https://prometheus.io/docs/instrumenting/exposition_formats/ and
https://prometheus.io/docs/specs/om/open_metrics_spec/

prometheus-client would write the same; it takes ten times as long, in the loop that serves.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from gateway.live.families import BUCKET, COUNT, Families, Family, Key
from gateway.live.histogram import Exemplar

_number: Final[Callable[[float], str]] = floatToGoString
_OPEN_METRICS: Final = "application/openmetrics-text"
_SERIES: Final = 1 << 14  # whose text is kept from scrape to scrape
_PLAIN_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n"})
_ESCAPES: Final = _PLAIN_ESCAPES | str.maketrans({'"': r"\""})


def exposition(families: Families, accept: str | None = None) -> tuple[bytes, str]:
    """The text, and the type of that content.

    accept: the request's header of that name. Where it asks for OpenMetrics, exemplars are in it.
    """
    _, content_type = choose_encoder(accept or "")
    is_open = content_type.startswith(_OPEN_METRICS)
    lines = [line for family in families.values() for line in _lines(family, is_open)]
    if is_open:
        lines.append("# EOF")
    return ("\n".join(lines) + "\n").encode(), content_type


def _lines(family: Family, is_open: bool) -> Iterator[str]:
    name = family.name if is_open or family.kind != "counter" else f"{family.name}_total"
    yield f"# HELP {name} {family.text.translate(_ESCAPES if is_open else _PLAIN_ESCAPES)}"
    yield f"# TYPE {name} {family.kind}"
    is_histogram = family.kind == "histogram"
    for key, value in family.samples.items():
        if is_histogram and key[0].endswith((BUCKET, COUNT)):
            # OpenMetrics has whole numbers only; what is left out of one comes with the next.
            value = float(round(value))
        line = f"{_written(key)} {_number(value)}"
        exemplar = family.exemplars.get(key) if is_open else None
        yield line if exemplar is None else line + _told(exemplar)


@lru_cache(_SERIES)
def _written(key: Key) -> str:
    name, labels = key
    if not labels:
        return name
    pairs = ",".join(f'{label}="{value.translate(_ESCAPES)}"' for label, value in sorted(labels))
    return f"{name}{{{pairs}}}"


def _told(exemplar: Exemplar) -> str:
    value = _number(exemplar.value)
    return f' # {{trace_id="{exemplar.trace_id}"}} {value} {exemplar.at}'
