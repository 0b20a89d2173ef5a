"""The tokens of a model by id: all that decoding needs, without the tokenizer."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

PAD, END, SAY = "<pad>", "<end>", "<say>"
REASON, COPY, REVIEW = "<reason>", "<copy>", "<review>"
MAX_EVIDENCE: Final = 5
_MARK: Final = re.compile(r"<[^<>\s]+>")


def language_mark(language: str) -> str:
    """Returns the token of a language."""
    return f"<{language}>"


def kind_mark(kind: str) -> str:
    """Returns the token of a kind of evidence."""
    return f"<={kind}>"


def place_mark(place: int) -> str:
    """Returns the token that opens the clause of a piece of evidence, counted from 1."""
    return f"<{place}>"


class TokenTable:
    """Texts by id and marks by name.

    Args:
        texts: Of every token by id; a mark stands as it is named, such as "<shown>".
        marks: Names of the marks among them; all texts of that form when None.
    """

    def __init__(self, texts: Sequence[str], marks: Iterable[str] | None = None) -> None:
        self.texts = list(texts)
        known = set(filter(_MARK.fullmatch, self.texts)) if marks is None else set(marks)
        self._ids = {text: index for index, text in enumerate(self.texts) if text in known}

    @property
    def marks(self) -> frozenset[str]:
        """Names of the marks."""
        return frozenset(self._ids)

    def id(self, mark: str) -> int:
        """Returns the id of a mark."""
        return self._ids[mark]

    def is_mark(self, index: int) -> bool:
        """Whether a token is a mark."""
        return self.texts[index] in self._ids

    def prefix(self, kinds_said: Sequence[str], language: str) -> list[int]:
        """Returns the ids that stand before a reason."""
        named = [language_mark(language), REASON, *(kind_mark(kind) for kind in kinds_said), SAY]
        return [self._ids[mark] for mark in named]

    def kept(self, ids: Sequence[int]) -> "TokenTable":
        """Returns a table of some of the tokens, numbered anew in the order given."""
        return TokenTable([self.texts[index] for index in ids], self._ids)
