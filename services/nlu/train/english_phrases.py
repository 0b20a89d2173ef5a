"""A dictionary of phrases, found word by word: over whole catalogues faster than by characters."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.text.lexicon.matcher import plurals

_WORD: Final = re.compile(r"[a-z0-9]+(?:['’&.+/-][a-z0-9]+)*|[&+]", re.IGNORECASE)
_MAX_WORDS: Final = 5


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase in a text: its half-open span and the value that it stands for."""

    start: int
    end: int
    value: str


class PhraseBook:
    """Phrases with a value each; of two values of one phrase the first is kept.

    Args:
        phrases: (phrase, value); case and hyphens do not matter.
        with_plurals: Finds the regular plurals as well.
    """

    def __init__(self, phrases: Iterable[tuple[str, str]], *, with_plurals: bool = False) -> None:
        self._values: dict[tuple[str, ...], str] = {}
        for phrase, value in phrases:
            for form in (phrase, *(plurals(phrase) if with_plurals and phrase else ())):
                key = tuple(word for word, _, _ in split_words(form))
                if 0 < len(key) <= _MAX_WORDS:
                    self._values.setdefault(key, value)

    @property
    def values(self) -> Mapping[tuple[str, ...], str]:
        """The value of each phrase, as its folded words."""
        return self._values

    def find(self, text: str) -> list[Found]:
        """Returns the phrases in a text, longest first from the left, without overlaps."""
        words = split_words(text)
        found: list[Found] = []
        at = 0
        while at < len(words):
            for length in range(min(_MAX_WORDS, len(words) - at), 0, -1):
                key = tuple(word for word, _, _ in words[at : at + length])
                value = self._values.get(key)
                if value is not None:
                    found.append(Found(words[at][1], words[at + length - 1][2], value))
                    at += length
                    break
            else:
                at += 1
        return found


def split_words(text: str) -> list[tuple[str, int, int]]:
    """Returns the words of a text, folded, with their spans; a hyphen divides two words."""
    words: list[tuple[str, int, int]] = []
    for found in _WORD.finditer(text):
        start = found.start()
        for part in re.split(r"(-)", found[0]):
            if part and part != "-":
                words.append((part.lower().replace("’", "'"), start, start + len(part)))
            start += len(part)
    return words
