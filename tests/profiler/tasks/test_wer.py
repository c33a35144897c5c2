"""Word accuracy at a deadline against jiwer."""

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.tasks.quality import quality_by_round
from profiler.tasks.wer import WordErrorRate, edits, normalise

LATENCIES = [0.0, 0.01, 0.02, 0.03, float("inf")]
DEADLINES = [0.02, 0.005, 0.025, 1.0]
# Few different words, so that there is much to align.
spoken = st.lists(st.sampled_from("abc"), min_size=1, max_size=9).map(" ".join)
said = st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join)
utterances = st.lists(st.tuples(spoken, said, st.sampled_from(LATENCIES)), min_size=1, max_size=12)


@given(utterances)
def test_nothing_late_is_what_jiwer_says(given_: list[tuple[str, str, float]]) -> None:
    """1 - WER of the corpus, and at least 0; each utterance's edits are jiwer's, too."""
    references, hypotheses, _ = (list(column) for column in zip(*given_, strict=True))
    judged = WordErrorRate().judge(references, hypotheses)
    quality = judged.quality(np.arange(len(references)), np.array([len(references)]))
    assert quality[0] == pytest.approx(max(0.0, 1 - jiwer.wer(references, hypotheses)))
    for reference, hypothesis, score, errors in zip(
        references, hypotheses, judged.scores, judged.errors, strict=True
    ):
        wer = jiwer.wer(reference, hypothesis)
        assert errors == round(wer * len(reference.split()))
        assert score == pytest.approx(max(0.0, 1 - wer))


@given(utterances)
def test_a_late_hypothesis_is_empty(given_: list[tuple[str, str, float]]) -> None:
    """At every deadline, as jiwer says of the emptied hypotheses."""
    references, hypotheses, latency = (list(column) for column in zip(*given_, strict=True))
    count = len(references)
    judged = WordErrorRate().judge(references, hypotheses)
    got = quality_by_round(judged, np.arange(count), latency, np.zeros(count, int), DEADLINES)
    expected = []
    for deadline in DEADLINES:
        heard = [h if t <= deadline else "" for h, t in zip(hypotheses, latency, strict=True)]
        expected.append(max(0.0, 1 - jiwer.wer(references, heard)))
    np.testing.assert_allclose(got[0], expected, atol=1e-12)


def test_long_utterances_count_more() -> None:
    """Three words of four right, though the short utterance is all wrong."""
    judged = WordErrorRate().judge(["one two three", "four"], ["one two three", "five"])
    assert judged.quality(np.arange(2), np.array([2])).tolist() == [0.75]


def test_what_was_not_said_is_not_to_be_heard() -> None:
    """An empty reference is answered by an empty hypothesis; alone it has a quality, too."""
    judged = WordErrorRate().judge(["", ""], ["", "noise"])
    assert judged.scores.tolist() == [1.0, 0.0]
    assert judged.quality(np.array([0]), np.array([0, 1])).tolist() == [1.0, 1.0]
    assert judged.quality(np.array([1]), np.array([0, 1])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  Hello,\tWORLD! ", ["hello", "world"]),
        ("don't – don’t", ["don't", "don't"]),
        ("Straße № 5", ["strasse", "no", "5"]),
        ("well-known", ["well", "known"]),
        ("?!", []),
    ],
)
def test_texts_are_normalised(text: str, words: list[str]) -> None:
    """Case, punctuation and Unicode's spellings of one letter are no errors."""
    assert normalise(text) == words


def test_nothing_at_all_has_no_edits() -> None:
    """Empty against empty."""
    assert edits([[], []], [[], []]).tolist() == [0, 0]
