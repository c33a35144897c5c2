"""The report as a document."""

import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from profiler.report.command import html
from profiler.report.facts import Facts
from profiler.report.sections.footnotes import SHORTFALLS
from tests.profiler.report import synthetic

_WHEN = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_SECTIONS = [
    "summary",
    "measured",
    "quality",
    "front",
    "tiers",
    "convergence",
    "load",
    "calibration",
    "factors",
    "notes",
]


class _Document(HTMLParser):
    """Tags with their attributes, rows of tables as text, and everything said."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.said += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data.replace("\u00a0", " ")

    def attributes(self, name: str) -> list[str]:
        """Values of an attribute, wherever it occurs."""
        return [value or "" for _, attributes in self.tags if (value := attributes.get(name))]


@pytest.fixture(scope="module")
def full() -> str:
    return html(synthetic.facts(table=synthetic.table(), sweep=synthetic.sweep()), _WHEN)


def test_every_section_is_there(full: str) -> None:
    """A profile with a tier table and a sweep fills every section, in the order of reading."""
    document = _Document(full)
    headings = [a["id"] for tag, a in document.tags if tag == "h2"]
    assert headings == _SECTIONS
    assert "To have it:" not in document.said
    assert document.attributes("href")[: len(_SECTIONS)] == [f"#{id_}" for id_ in _SECTIONS]


def test_what_is_missing_says_how_to_get_it() -> None:
    """Without tiers, sweep, calibration or load models the sections remain, a line in each."""
    facts = synthetic.facts()
    bare = facts.profile.model_copy(
        update={
            "variants": tuple(
                v.model_copy(update={"calibration": None, "under_load": None})
                for v in facts.profile.variants
            ),
            "convergence": facts.profile.convergence[:1],
        }
    )
    document = _Document(html(Facts(bare, facts.evidence), _WHEN))
    assert document.said.count("To have it:") == 5
    for command in ("tailq-profile tiers", "tailq-profile sweep", "tailq-profile run"):
        assert command in document.said


def test_nothing_is_fetched(full: str) -> None:
    """No script, style sheet, font, image or frame; links lead within the page."""
    document = _Document(full)
    assert not {tag for tag, _ in document.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "image",
        "base",
    }
    assert not document.attributes("src")
    assert all(link.startswith("#") for link in document.attributes("href"))
    assert "http" not in full.replace("http-equiv", "")
    assert "@import" not in full
    assert not re.search(r"url\((?!#)", full)
    assert "default-src 'none'" in full


def test_two_mebibytes_at_most(full: str) -> None:
    """Seven variants and everything else fit in a file that can be mailed."""
    assert len(full.encode()) < 2 * 1024 * 1024


def test_ids_are_unique(full: str) -> None:
    """Many figures share the page."""
    ids = _Document(full).attributes("id")
    assert len(ids) == len(set(ids))


def test_names_from_outside_are_escaped() -> None:
    """A model, a data set or a reason that contains markup is text in the page."""
    hostile = "fashion_<img src=x onerror=alert(1)>\"'&$^{"
    family = {**synthetic.FAMILY}
    family[hostile] = family.pop("fashion_nano")
    seen = synthetic.evidence(family)
    profile = synthetic.profile(seen)
    profile = profile.model_copy(
        update={"dataset": profile.dataset.model_copy(update={"name": "</style><script>"})}
    )
    written = html(Facts(profile, seen, synthetic.table()), _WHEN)
    document = _Document(written)
    assert not {tag for tag, _ in document.tags} & {"img", "script"}
    assert not document.attributes("onerror")
    assert hostile in [row[0] for row in document.rows]
    assert written.count("</style>") == 1


def test_the_figures_are_the_profiles(full: str) -> None:
    """What stands in the tables is what the profile holds."""
    facts = synthetic.facts()
    rows = [tuple(row) for row in _Document(full).rows]
    for variant in facts.profile.variants:
        name = variant.name.removeprefix("fashion_")
        (served,) = (row for row in rows if row[0] == variant.name)
        assert served[1] == f"{100 * variant.quality:.2f} %"
        assert served[5] == variant.fingerprint[:16]
        for index, deadline_s in enumerate(synthetic.DEADLINES_S):
            at = min((load.at_deadlines[index] for load in variant.loads), key=lambda a: a.quality)
            (row,) = (r for r in rows if r[:2] == (name, f"{1000 * deadline_s:.3g} ms"))
            assert row[3:7] == tuple(
                f"{100 * q:.2f} %" for q in (at.quality, at.tail_5, at.tail_1, at.worst)
            )
        (latency,) = (row for row in rows if row[0] == name and " / " in row[-1])
        for cell, load in zip(latency[2:], variant.loads, strict=True):
            shown = [float(part) for part in cell.split(" / ")]
            assert shown == pytest.approx([1000 * load.p50_s, 1000 * load.p99_s], rel=5e-3)


def test_the_promises_are_the_tables(full: str) -> None:
    """Every promise stands there with its figures, what it rests on, and all its plans."""
    rows = [tuple(row) for row in _Document(full).rows]
    for tier in synthetic.table().tiers:
        for promise in tier.promises:
            key = (tier.name, f"{1000 * promise.deadline_s:.0f}")
            made, basis, first, other = (row for row in rows if row[:2] == key)
            assert made[2:5] == tuple(
                f"{100 * q:.2f} %"
                for q in (promise.quality, promise.expected_quality, promise.tail_quality)
            )
            assert basis[4:9] == ("0.34", "1,000", "4", "1,280", "0.77 %")
            assert first[2:5] == ("1", "best effort", "2.34")
            assert first[6] == made[10]
            assert other[5:] == ("large 100 %", "asks large")
    assert ("dream", "5", synthetic.table().not_offered[0].why) in rows


def test_it_says_in_words_what_matters(full: str) -> None:
    """The summary names the best, the deadlines, who is dominated, and what is promised."""
    said = _Document(full).said.replace("\u00a0", " ")
    start, end = (said.index(text) for text in ("Without a deadline", "What was measured\n"))
    facts = synthetic.facts()
    best = max(facts.profile.variants, key=lambda v: v.quality)
    summary = said[said.index("Without a deadline") :]
    assert start != end
    assert f"{best.name.removeprefix('fashion_')} is best" in summary
    for text in ("Within 25 ms", "Within 50 ms", "Within 100 ms", "Dominated: "):
        assert text in summary
    assert "gold 92.1 % within 100 ms" in summary
    assert "Not offered: dream within 5 ms." in summary


def test_known_shortfalls_are_footnotes(full: str) -> None:
    """Where a method falls short of its nominal rate, every report says so."""
    said = " ".join(_Document(full).said.split())
    assert SHORTFALLS
    for _, text in SHORTFALLS:
        assert " ".join(text.split()) in said


def test_a_metric_that_is_not_additive_is_drawn_at_the_profiled_deadlines() -> None:
    """There the profile's own figures are all there is, and they are enough for a report."""
    facts = synthetic.facts(table=synthetic.table())
    metric = facts.profile.metric.model_copy(update={"additive": False, "name": "mAP"})
    profile = facts.profile.model_copy(update={"metric": metric})
    written = html(Facts(profile, facts.evidence, facts.table), _WHEN)
    assert "mAP" in written
    assert written.count('<svg class="plot"') > 20


def test_one_variant_is_enough() -> None:
    """A service with a single variant at a single load has a report too."""
    seen = synthetic.evidence({"fashion_only": (0.9, 0.002)})
    written = html(Facts(synthetic.profile(seen), seen), _WHEN)
    assert "no variant: whoever is better is slower" in written


def test_the_same_profile_gives_the_same_file(full: str) -> None:
    """Reports can be compared as files."""
    again = html(synthetic.facts(table=synthetic.table(), sweep=synthetic.sweep()), _WHEN)
    assert again == full
