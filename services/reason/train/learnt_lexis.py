"""The lexis of a corpus: which tokens say which kind of evidence, and how words are spelt."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

from services.reason.wording.lexis import CLOSE, START, Lexis, is_latin


class ReadsClauses(Protocol):
    """What of a vocabulary is needed here."""

    def clause_ids(self, clause: str) -> list[int]:
        """Returns the ids of a clause of the corpus, the place of its evidence left out."""
        ...


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
    follow: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        kinds = [one["kind"] for one in row["evidence"]]
        for clause in row["reason_sequence"]:
            if clause not in memory:
                memory[clause] = vocabulary.clause_ids(clause)
                _read_words([texts[index] for index in memory[clause]], words, stems)
                for token, after in pairwise((START, *memory[clause], CLOSE)):
                    follow[token].add(after)
            place = int(clause[1 : clause.index(">")])
            found[f"{row['language']}/{kinds[place - 1]}"].update(memory[clause])
    ids = {key: sorted(tokens) for key, tokens in sorted(found.items())}
    pairs = {token: frozenset(after) for token, after in follow.items()}
    return Lexis(ids, frozenset(words), frozenset(stems), pairs)


def _read_words(tokens: Sequence[str], words: set[str], stems: set[str]) -> None:
    word = ""
    for text in (*tokens, " "):
        if word and is_latin(text[:1]):
            stems.add(word)
        if text.startswith("<") and text.endswith(">"):
            text = " "  # noqa: PLW2901  # a slot ends a word
        for character in text:
            if is_latin(character):
                word += character
            elif word:
                words.add(word)
                word = ""
