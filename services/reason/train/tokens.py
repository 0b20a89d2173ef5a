"""The tokens of a model by id: all that decoding needs, without the tokenizer."""

from collections.abc import Sequence
from typing import Final

from services.reason.train.frames import LANGUAGES, kinds
from services.reason.train.slots import SLOTS
from services.reason.train.text_pairs import MAX_ATTRIBUTES

PAD, END, SAY = "<pad>", "<end>", "<say>"
REASON, COPY, REVIEW = "<reason>", "<copy>", "<review>"
MAX_EVIDENCE: Final = 5


def language_mark(language: str) -> str:
    """Returns the token of a language."""
    return f"<{language}>"


def kind_mark(kind: str) -> str:
    """Returns the token of a kind of evidence."""
    return f"<={kind}>"


def place_mark(place: int) -> str:
    """Returns the token that opens the clause of a piece of evidence, counted from 1."""
    return f"<{place}>"


def marks() -> list[str]:
    """Returns the tokens that are no text, in the order of their ids; PAD is the first."""
    return [
        PAD,
        END,
        SAY,
        REASON,
        COPY,
        REVIEW,
        *(language_mark(language) for language in LANGUAGES),
        *(place_mark(place) for place in range(1, MAX_EVIDENCE + 1)),
        *(f"<{slot}>" for slot in SLOTS),
        *(f"<a{number}>" for number in range(1, MAX_ATTRIBUTES + 1)),
        *(kind_mark(kind) for kind in kinds()),
    ]


class TokenTable:
    """Texts by id and marks by name.

    Args:
        texts: Of every token by id; a mark stands as it is named, such as "<shown>".
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        known = set(marks())
        self._ids = {text: index for index, text in enumerate(self.texts) if text in known}

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
        return TokenTable([self.texts[index] for index in ids])
