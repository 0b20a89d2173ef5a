"""The lexis: the tokens that each kind of evidence is said in, and the words they may spell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

NOT_A_LETTER: Final = "0"
"""Stands for what a Latin word must not follow without a blank."""


@dataclass(frozen=True, slots=True)
class Lexis:
    """What a corpus says.

    Attributes:
        ids: Tokens within clauses, slots included, by "language/kind".
        words: Latin words.
        stems: Beginnings of words that end with a token, so that another has to follow.
    """

    ids: Mapping[str, Sequence[int]]
    words: frozenset[str]
    stems: frozenset[str]

    def content(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        ids = {key: list(found) for key, found in self.ids.items()}
        return {"ids": ids, "words": sorted(self.words), "stems": sorted(self.stems)}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Lexis":
        """Reads what `content` returned."""
        return cls(content["ids"], frozenset(content["words"]), frozenset(content["stems"]))

    def spell(self, word: str, text: str) -> str | None:
        """Returns the word under way after more text; None where it spells what no clause says.

        Args:
            word: The Latin letters so far, NOT_A_LETTER after anything else but a blank.
            text: Of a token.
        """
        for character in text:
            if is_latin(character):
                word += character
            elif word and word != NOT_A_LETTER and word not in self.words:
                return None
            else:
                word = "" if character == " " else NOT_A_LETTER
        whole = word in ("", NOT_A_LETTER) or word in self.words
        return word if whole or word in self.stems else None

    def is_whole(self, word: str) -> bool:
        """Whether the word under way may end here."""
        return word in ("", NOT_A_LETTER) or word in self.words


def is_latin(character: str) -> bool:
    """Whether it is a letter that words are spelt with."""
    return character.isascii() and character.isalpha()
