"""docs/metrics.md is what names.py says."""

from docs.metrics_reference import FILE, content
from gateway.live import names
from gateway.live.names import Spec


def test_the_reference_is_up_to_date() -> None:
    """It is generated, and lies in the repository for those who read it there."""
    assert FILE.read_text("utf-8") == content(), "run make metrics"


def test_every_metric_has_its_section() -> None:
    """Each Spec of the file is in one of them, once."""
    known = [one for one in vars(names).values() if isinstance(one, Spec)]
    assert sorted(spec.name for spec in names.SPECS) == sorted(spec.name for spec in known)


def test_every_metric_is_described_once() -> None:
    """By the name that a query has to use."""
    text = content()
    for spec in names.SPECS:
        suffix = "_total" if spec.kind == "counter" else ""
        assert text.count(f"| `{spec.name}{suffix}`, {spec.kind} |") == 1
