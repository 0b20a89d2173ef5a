"""The lexis: the tokens that each kind of evidence is said in, and the words they may spell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

NOT_A_LETTER: Final = "0"
"""Stands for what a Latin word must not follow without a blank."""


class ReadsClauses(Protocol):
    """What of a vocabulary is needed here."""

    def clause_ids(self, clause: str) -> list[int]:
        """Returns the ids of a clause of the corpus, the place of its evidence left out."""
        ...


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
            if _is_latin(character):
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


def lexis_of(
    rows: Iterable[Mapping[str, Any]], vocabulary: ReadsClauses, texts: Sequence[str]
) -> Lexis:
    """Returns the lexis of a corpus.

    Args:
        rows: Reasons of the corpus.
        vocabulary: Cuts clauses into tokens.
        texts: Of all tokens, by id.
    """
    found: dict[str, set[int]] = defaultdict(set)
    memory: dict[str, list[int]] = {}
    words: set[str] = set()
    stems: set[str] = set()
    for row in rows:
        kinds = [one["kind"] for one in row["evidence"]]
        for clause in row["reason_sequence"]:
            if clause not in memory:
                memory[clause] = vocabulary.clause_ids(clause)
                _read_words([texts[index] for index in memory[clause]], words, stems)
            place = int(clause[1 : clause.index(">")])
            found[f"{row['language']}/{kinds[place - 1]}"].update(memory[clause])
    ids = {key: sorted(tokens) for key, tokens in sorted(found.items())}
    return Lexis(ids, frozenset(words), frozenset(stems))


def _read_words(tokens: Sequence[str], words: set[str], stems: set[str]) -> None:
    word = ""
    for text in (*tokens, " "):
        if word and _is_latin(text[:1]):
            stems.add(word)
        if text.startswith("<") and text.endswith(">"):
            text = " "  # noqa: PLW2901  # a slot ends a word
        for character in text:
            if _is_latin(character):
                word += character
            elif word:
                words.add(word)
                word = ""


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()
