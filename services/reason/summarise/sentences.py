"""Texts to sentences, in English and Chinese, and reviews that say the same in the same words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.language import is_chinese
from shared.text.normalise import fold

NEAR: Final = 0.8
"""Jaccard index of their shingles from which two reviews are one."""
_SHINGLE: Final = 3
# Reviewers leave out the space ("a nice touch!I love it"), so a capital ends a sentence too.
_SENTENCE: Final = re.compile(
    r"(?:[^.!?。！？；…\n]|[.](?=[\w,;)]))(?:[^.!?。！？；…\n]|[.](?=[a-z\d,;)]|com\b)|(?<=\b[A-Z])[.])*"
    r"(?:[.!?。！？；…]+[\"')\]”’」』）]*|(?=\n)|$)"
)
_WORD: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u3400-\u9fff]+(?:['’.-][^\W_]+)*")
_EMPTY: Final = frozenset[str]()


@dataclass(frozen=True, slots=True)
class Text:
    """A review or a description.

    Attributes:
        id: Of the review; "" for a description.
        body: As written.
        rating: Stars, 1 to 5; 0 when not given.
    """

    id: str
    body: str
    rating: int = 0


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a text.

    Attributes:
        text: As written, trimmed.
        source: Index of its text among those that were split.
        start: Of the span in the text, in code points.
        words: Number of words, where a Han character is one.
        position: Its place in the text, from 0.
        of_shop: Whether the shop wrote it, not a reviewer.
    """

    text: str
    source: int
    start: int
    words: int
    position: int
    of_shop: bool = False

    @property
    def end(self) -> int:
        """End of the span, exclusive."""
        return self.start + len(self.text)

    @property
    def language(self) -> str:
        """Its language, "zh" or "en"."""
        return "zh" if is_chinese(self.text) else "en"


def count_words(text: str) -> int:
    """Number of words, where a Han character is one."""
    return len(_WORD.findall(text))


def split(body: str, source: int = 0, *, of_shop: bool = False) -> list[Sentence]:
    """Returns the sentences of a text that hold a word, in order."""
    found: list[Sentence] = []
    for match in _SENTENCE.finditer(body):
        text = match[0].strip()
        if words := count_words(text):
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            found.append(Sentence(text, source, start, words, len(found), of_shop))
    return found


def distinct(texts: Sequence[Text]) -> list[Text]:
    """Returns the texts without those whose words are nearly those of an earlier one.

    Compared are shingles of three words or Han characters (Broder, "On the resemblance and
    containment of documents", 1997), exactly: there are at most some hundred texts.
    """
    kept: list[Text] = []
    seen: list[frozenset[str]] = []
    exact: set[str] = set()
    for text in texts:
        words = _WORD.findall(fold(text.body))
        whole = " ".join(words)
        if not words or whole in exact:
            continue
        shingles = _shingles(words)
        if any(_near(shingles, other) for other in seen):
            continue
        exact.add(whole)
        seen.append(shingles)
        kept.append(text)
    return kept


def _shingles(words: Sequence[str]) -> frozenset[str]:
    if len(words) < _SHINGLE:
        return _EMPTY  # compared as a whole: "Great" is no copy of "Great, would buy again"
    return frozenset(" ".join(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))


def _near(one: frozenset[str], other: frozenset[str]) -> bool:
    shared = len(one & other)
    return shared > 0 and shared >= NEAR * (len(one) + len(other) - shared)
