"""What may be typed for a text: its beginning, the beginning of a word in it, its pinyin."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from pypinyin import lazy_pinyin

from shared.text.analysis import analyse
from shared.text.normalise import fold

_HAN: Final = re.compile(r"[\u3400-\u9fff]")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]+")


class KeyKind(IntEnum):
    """How a key stands to its text, best first."""

    START = 0
    WORD = 1
    PINYIN = 2
    INITIALS = 3


@dataclass(frozen=True, slots=True)
class Key:
    """What may be typed, folded; `offset` is where it stands in the folded text."""

    text: str
    kind: KeyKind
    offset: int = 0

    @property
    def by_pinyin(self) -> bool:
        """Whether it is how Chinese sounds, not how it is written."""
        return self.kind >= KeyKind.PINYIN


def keys_of(text: str) -> Iterator[Key]:
    """Yields what may be typed for a text."""
    folded = fold(text)
    starts = sorted({0, *(term.start for term in analyse(folded))})
    for start in starts:
        yield Key(folded[start:], KeyKind.WORD if start else KeyKind.START, start)
    if has_han(folded):
        for start in starts:
            syllables = lazy_pinyin(folded[start:])
            yield Key(letters("".join(syllables)), KeyKind.PINYIN)
            initials = "".join(s if s.isdigit() else s[:1] for s in syllables)
            yield Key(letters(initials), KeyKind.INITIALS)


def has_han(text: str) -> bool:
    """Whether a text holds Chinese characters."""
    return bool(_HAN.search(text))


def letters(text: str) -> str:
    """Returns the Latin letters and digits of a folded text, as pinyin is compared by."""
    return _NO_LETTER.sub("", text)
