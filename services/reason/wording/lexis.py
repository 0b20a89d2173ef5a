"""The lexis: the tokens that each kind of evidence is said in, and the words they may spell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

NOT_A_LETTER: Final = "0"
"""Stands for what a Latin word must not follow without a blank."""
START, CLOSE = -1, -2
"""Stand for the beginning and the end of a clause among tokens that follow each other."""


@dataclass(frozen=True, slots=True)
class Lexis:
    """What a corpus says.

    Attributes:
        ids: Tokens within clauses, slots included, by "language/kind".
        words: Latin words.
        stems: Beginnings of words that end with a token, so that another has to follow.
        follow: Tokens that stand behind each token in some clause, slots, START and CLOSE among
            them; empty of a model that was exported without, where any may follow any.
    """

    ids: Mapping[str, Sequence[int]]
    words: frozenset[str]
    stems: frozenset[str]
    follow: Mapping[int, frozenset[int]] = field(default_factory=dict[int, frozenset[int]])

    def content(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        ids = {key: list(found) for key, found in self.ids.items()}
        follow = {str(token): sorted(after) for token, after in sorted(self.follow.items())}
        words, stems = sorted(self.words), sorted(self.stems)
        return {"ids": ids, "words": words, "stems": stems, "follow": follow}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Lexis":
        """Reads what `content` returned."""
        follow = {int(token): frozenset(ids) for token, ids in content.get("follow", {}).items()}
        words, stems = frozenset(content["words"]), frozenset(content["stems"])
        return cls(content["ids"], words, stems, follow)

    def may_follow(self, token: int, after: int) -> bool:
        """Whether some clause has the one behind the other."""
        return not self.follow or after in self.follow.get(token, frozenset())

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
