"""From tokens to a sentence: slots filled, and each clause with the words it has in the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar

_EDGES: Final = " ,;.，；。"
_LEADS: Final = re.compile(r"(?:and|also|but) |另外，|而且|同时|并且|但|不过")


@dataclass(frozen=True, slots=True)
class SaidClause:
    """A clause of the text.

    Attributes:
        position: Of its evidence, from 0.
        text: A piece of the sentence as it stands there.
    """

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class SaidReason:
    """A sentence and its clauses, in order."""

    text: str
    clauses: tuple[SaidClause, ...]


class Rendering:
    """Writes tokens out as they come, so that a reason can be streamed.

    Args:
        grammar: That the tokens follow.
        evidence: What fills the slots.
        language: "en" or "zh".
    """

    def __init__(self, grammar: Grammar, evidence: Sequence[Filled], language: str) -> None:
        self._grammar, self._evidence, self._language = grammar, evidence, language
        self._text = ""
        self._frame = ""
        self._spans: list[tuple[int, int]] = []

    def add(self, token: int) -> str:
        """Writes a token; returns what the text grew by, which may be nothing."""
        grammar = self._grammar
        if token == grammar.end:
            return ""
        if token in grammar.places:
            self._spans.append((grammar.places.index(token), len(self._text)))
            return ""
        if token in grammar.slots:
            now = self._evidence[self._spans[-1][0]]
            piece = now.fills[grammar.slots[token]]
            if self._language == "en" and self._wants_blank():
                piece = " " + piece
            self._frame += "\0"
        else:
            piece = grammar.texts[token]
            self._frame += piece
        if not self._text and self._language == "en":
            piece = piece.lstrip()
            piece = piece[:1].upper() + piece[1:]
        self._text += piece
        return piece

    def _wants_blank(self) -> bool:
        if not self._frame or self._frame[-1] == " ":
            return False
        # A quotation mark that opens stands close to what it quotes.
        return self._frame[-1] != '"' or self._frame.count('"') % 2 == 0

    def reason(self) -> SaidReason:
        """Returns the sentence so far and its clauses."""
        starts = [start for _, start in self._spans]
        ends = [*starts[1:], len(self._text)][: len(starts)]
        clauses = [
            SaidClause(position, _bare(self._text[start:end]))
            for (position, start), end in zip(self._spans, ends, strict=True)
        ]
        return SaidReason(self._text, tuple(clauses))


def _bare(clause: str) -> str:
    bare = clause.strip(_EDGES)
    lead = _LEADS.match(bare)
    return bare[lead.end() :].strip(_EDGES) if lead else bare
