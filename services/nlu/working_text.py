"""The text that the rules read: folded letter by letter, corrections applied, spans traceable."""

import unicodedata
from collections.abc import Sequence

from services.nlu.domain import Correction


class WorkingText:
    """A folded and corrected copy of the query whose spans lead back to the query.

    Rules are written once, against lower-case text with plain digits ("５００" reads "500"). Each
    character is folded on its own and only where one comes out, so before corrections the copy is
    as long as the query.
    """

    def __init__(self, query: str, corrections: Sequence[Correction] = ()) -> None:
        self.query = query
        pieces: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        position = 0
        for correction in sorted(corrections, key=lambda item: item.start):
            self._copy(pieces, position, correction.start)
            pieces.append(correction.corrected)
            self._starts.extend([correction.start] * len(correction.corrected))
            self._ends.extend([correction.end] * len(correction.corrected))
            position = correction.end
        self._copy(pieces, position, len(query))
        self.text = "".join(pieces)

    def to_query(self, start: int, end: int) -> tuple[int, int]:
        """Returns the span of the query that a non-empty span of `text` comes from."""
        return self._starts[start], self._ends[end - 1]

    def stripped(self) -> tuple[str, tuple[tuple[int, int], ...]]:
        """Returns `text` without white space at its ends, and the place of each character."""
        first = len(self.text) - len(self.text.lstrip())
        last = len(self.text.rstrip())
        places = tuple(zip(self._starts[first:last], self._ends[first:last], strict=True))
        return self.text[first:last], places

    def original(self, start: int, end: int) -> str:
        """Returns what the query has where `text` has [start, end)."""
        first, last = self.to_query(start, end)
        return self.query[first:last]

    def _copy(self, pieces: list[str], start: int, end: int) -> None:
        pieces.append("".join(map(_fold_character, self.query[start:end])))
        self._starts.extend(range(start, end))
        self._ends.extend(range(start + 1, end + 1))


def _fold_character(character: str) -> str:
    if character.isascii():
        return " " if character.isspace() else character.lower()
    folded = unicodedata.normalize("NFKC", character).casefold()
    return folded if len(folded) == 1 else character
