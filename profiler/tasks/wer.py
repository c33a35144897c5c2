"""Word accuracy, 1 − WER over the corpus, where a late hypothesis is empty.

WER = (substitutions + deletions + insertions) / (words in all references), so that long
utterances count more than short ones; late, all of an utterance's words are deleted. Insertions
can drive WER above 1; quality is at least 0.

Texts are compared after normalisation: Unicode NFKC, case folded, punctuation and symbols but
apostrophes as white space. Words are what white space separates.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.tasks.base import Floats, Ints

_APOSTROPHE = "'"
_TYPOGRAPHIC = "\N{RIGHT SINGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class JudgedWords:
    """words: [N] in each reference. errors: [N] edits from hypothesis to reference."""

    words: Ints
    errors: Ints

    @property
    def scores(self) -> Floats:
        """Word accuracy of each utterance by itself; silence where silence was is right."""
        right = np.maximum(self.words - self.errors, 0)
        silent = np.asarray(self.errors == 0, dtype=np.float64)
        return np.divide(right, self.words, out=silent, where=self.words > 0)

    def quality(self, samples: Ints, in_time: Ints) -> Floats:
        """See Judged. Errors are cumulated: late, an utterance has as many as words."""
        words, errors = self.words[samples], self.errors[samples]
        total = int(words.sum())
        wrong = total + np.concatenate([[0], np.cumsum(errors - words)])[in_time]
        if total == 0:
            return np.asarray(wrong == 0, dtype=np.float64)
        return np.asarray(np.maximum(1 - wrong / total, 0.0))


@dataclass(frozen=True, slots=True)
class WordErrorRate:
    """See the module."""

    name: str = "wer"
    additive: bool = False

    def judge(self, labels: Sequence[Any], answers: Sequence[Any]) -> JudgedWords:
        """See Metric; labels are references, answers hypotheses."""
        references = [normalise(text) for text in labels]
        words = np.array([len(reference) for reference in references], dtype=np.int64)
        return JudgedWords(words, edits(references, [normalise(text) for text in answers]))


def normalise(text: str) -> list[str]:
    """The words of a text, normalised as the module says."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = folded.replace(_TYPOGRAPHIC, _APOSTROPHE)
    return "".join(
        " " if unicodedata.category(letter)[0] in "PS" and letter != _APOSTROPHE else letter
        for letter in folded
    ).split()


def edits(references: Sequence[Sequence[str]], hypotheses: Sequence[Sequence[str]]) -> Ints:
    """Levenshtein distance of each hypothesis to its reference, in words: [N].

    The rows of all distance matrices are computed together (Wagner and Fischer, "The
    string-to-string correction problem", JACM 1974); within a row, insertions are a running
    minimum. O(longest reference * N * longest hypothesis).
    """
    number: dict[str, int] = {}
    wanted = _padded(references, number)
    said = _padded(hypotheses, number)
    length = np.array([len(words) for words in references], dtype=np.int64)
    place = np.arange(said.shape[1] + 1)
    row = np.broadcast_to(place, (len(references), place.size))
    # Utterances leave as their references end: the longest come first.
    order = np.argsort(-length, kind="stable")
    row, wanted, said = row[order], wanted[order], said[order]
    going = np.searchsorted(-length[order], -np.arange(wanted.shape[1]), side="left")
    for at, alive in enumerate(going.tolist()):
        above = row[:alive]
        swapped = above[:, :-1] + (wanted[:alive, at, None] != said[:alive])
        best = above + 1
        best[:, 1:] = np.minimum(best[:, 1:], swapped)
        row[:alive] = np.minimum.accumulate(best - place, axis=1) + place
    ends = np.array([len(words) for words in hypotheses], dtype=np.int64)
    distance = np.empty(len(references), dtype=np.int64)
    distance[order] = row[np.arange(len(references)), ends[order]]
    return distance


def _padded(texts: Sequence[Sequence[str]], number: dict[str, int]) -> NDArray[np.int64]:
    """Words as numbers, the same for the same word: [N, longest]; -1 past the end."""
    lengths = np.array([len(words) for words in texts], dtype=np.int64)
    padded = np.full((len(texts), int(lengths.max(initial=0))), -1, dtype=np.int64)
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = [
        number.setdefault(word, len(number)) for word in chain.from_iterable(texts)
    ]
    return padded
