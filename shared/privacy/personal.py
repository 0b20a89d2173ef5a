"""Personal data in text: finds it, and masks it where a text is kept or logged.

Shops' texts are full of numbers (EANs, models, measures), so a number counts only by its form:
a checksum where there is one, a prefix that is given out, or a word that says what it is.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.privacy.patterns import KINDS, WORTH
from shared.text.normalise import fold

_MASK: Final = re.compile("|".join(re.escape(f"[{kind}]") for kind in {k for k, *_ in KINDS}))


@dataclass(frozen=True, slots=True)
class Personal:
    """Personal data in a text.

    Attributes:
        kind: "e-mail", "phone", "identity card", "bank account", "handle" or "address".
        start: Place of its first character.
        end: Place behind its last one.
    """

    kind: str
    start: int
    end: int


@lru_cache(maxsize=8_192)
def personal_data(text: str) -> str:
    """Returns what kind of personal data a text holds, such as "phone"; "" for none."""
    folded = fold(text)
    return next((each.kind for each in _in_folded(folded)), "") if WORTH.search(folded) else ""


def find_personal(text: str) -> list[Personal]:
    """Returns the personal data of a text, in order; where finds overlap, the first kind's."""
    if not WORTH.search(fold(text)):
        return []
    folded, places = _folded(text)
    found: list[Personal] = []
    for each in _in_folded(folded):
        start, end = places[each.start], places[each.end - 1] + 1
        if all(end <= other.start or other.end <= start for other in found):
            found.append(Personal(each.kind, start, end))
    return sorted(found, key=lambda each: each.start)


def masked(text: str) -> str:
    """Returns a text with its personal data replaced by its kind, as in "[phone]"."""
    parts: list[str] = []
    end = 0
    for each in find_personal(text):
        parts += (text[end : each.start], f"[{each.kind}]")
        end = each.end
    return "".join((*parts, text[end:])) if parts else text


def has_mask(text: str) -> bool:
    """Whether something was masked in a text."""
    return _MASK.search(text) is not None


def _in_folded(folded: str) -> Iterator[Personal]:
    for kind, pattern, holds in KINDS:
        for match in pattern.finditer(folded):
            if holds is None or holds(match[0]):
                yield Personal(kind, match.start(), match.end())


def _folded(text: str) -> tuple[str, list[int]]:
    """Folds character by character; returns also the place that each character came from."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        plain = unicodedata.normalize("NFKC", character).casefold()
        for each in plain:
            blank = each.isspace()
            if blank and (not characters or characters[-1] == " "):
                continue
            characters.append(" " if blank else each)
            places.append(place)
    return "".join(characters), places
