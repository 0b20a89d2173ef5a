"""The guard: text outside slots that may never be written, whatever a model would like to say.

An automaton (Aho and Corasick, 1975) over the words of values: colours, materials, audiences,
occasions, brands, kinds of product, features, numerals, and words that the shop bans. It runs along
with the decoding, and a token that would complete such a word is masked. Digits are no characters
of free text at all. So a number, a brand or a value can only come out of a slot.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.reason.wording.opinions import FAULT, MIXED, PRAISE
from shared.text.lexicon.kinds import LexiconKind, read_entries
from shared.text.normalise import fold

_MARKS: Final = frozenset(" ,.;:'\"，。；：、“”")
_NUMERALS: Final = (
    *"零〇一二两三四五六七八九十百千万亿半双倍",
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "hundred", "thousand", "million", "billion", "dozen", "half"),
    *("double", "triple", "once", "twice", "first", "second", "third"),
)
_PERMITTED: Final[Mapping[str, frozenset[str]]] = dict.fromkeys(
    ("gift", "gifts", "送礼", "送人"), frozenset({"praised_gift", PRAISE, FAULT, MIXED})
)
"""Words that are values, and the codes whose very claim they are; the lexis keeps to the aspect."""

State = tuple[int, str]
"""Node of the automaton, and the character that came before."""


@dataclass(slots=True)
class _Node:
    next: dict[str, int]
    fail: int = 0
    ends: frozenset[str] = frozenset()
    """Words that end here, without their boundaries."""


class Guard:
    """Says which text may follow.

    Args:
        words: Never to be written; Latin ones as whole words, others anywhere.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self._nodes = [_Node({})]
        for word in {fold(word) for word in words}:
            if word and all(_is_han(c) or _is_latin(c) or c in _MARKS for c in word):
                self._add(word)
        self._link()
        self.start: State = (self._move(0, " "), " ")
        """State before any text."""
        self._memory: dict[tuple[int, str, str, str], State | None] = {}

    def _add(self, word: str) -> None:
        node = 0
        # A blank stands for every boundary of a Latin word, whatever character makes it.
        before = " " if _is_latin(word[0]) else ""
        for character in before + _stream(word, before)[0]:
            node = self._child(node, character)
        if _is_latin(word[-1]):
            node = self._child(node, " ")
        self._nodes[node].ends |= {word}

    def _child(self, node: int, character: str) -> int:
        if character not in self._nodes[node].next:
            self._nodes[node].next[character] = len(self._nodes)
            self._nodes.append(_Node({}))
        return self._nodes[node].next[character]

    def _link(self) -> None:
        queue = deque(self._nodes[0].next.values())
        while queue:
            index = queue.popleft()
            for character, child in self._nodes[index].next.items():
                queue.append(child)
                fail = self._move(self._nodes[index].fail, character) if index else 0
                self._nodes[child].fail = fail
                self._nodes[child].ends |= self._nodes[fail].ends

    def _move(self, node: int, character: str) -> int:
        while character not in self._nodes[node].next:
            if node == 0:
                return 0
            node = self._nodes[node].fail
        return self._nodes[node].next[character]

    def after(self, state: State, text: str, code: str) -> State | None:
        """Returns the state after more text; None where the text must not be written.

        Args:
            state: `start`, or what a call returned.
            text: Of one token; a slot is `boundary`.
            code: Of the clause, for the words that are its claim.
        """
        key = (*state, text, code)
        if key not in self._memory:
            self._memory[key] = self._after(state, text, code)
        return self._memory[key]

    def _after(self, state: State, text: str, code: str) -> State | None:
        node, before = state
        if not all(_is_latin(c) or _is_han(c) or c in _MARKS for c in text.lower()):
            return None
        stream, before = _stream(text.lower(), before)
        for character in stream:
            node = self._move(node, character)
            if self._forbidden(node, code):
                return None
        # A word may end where the token does: what would then be whole is refused at once, so that
        # no later token is left without a way on.
        if _is_latin(before) and self._forbidden(self._move(node, " "), code):
            return None
        return node, before

    def _forbidden(self, node: int, code: str) -> bool:
        ends = self._nodes[node].ends
        return any(code not in _PERMITTED.get(word, frozenset()) for word in ends)

    def boundary(self, state: State) -> State:
        """Returns the state after a slot, which no word of ours reaches into."""
        return (self._move(state[0], " "), " ") if state[1] != " " else state


def _stream(text: str, before: str) -> tuple[str, str]:
    """Returns text as the automaton reads it, and its last character.

    Blanks stand for all that is neither Latin nor Han, and between the two scripts; never twice.
    """
    found: list[str] = []
    for character in text:
        wordlike = _is_latin(character) or _is_han(character)
        read = character if wordlike else " "
        turn = wordlike and _is_latin(character) != _is_latin(before) and before not in (" ", "")
        if turn:
            found.append(" ")
        if read != " " or before != " ":
            found.append(read)
        before = read
    return "".join(found), before


def _is_latin(character: str) -> bool:
    return "a" <= character <= "z"


def _is_han(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def guarded_words(banned: Iterable[str]) -> set[str]:
    """Returns every word that only evidence may bring: the lexicon's, numerals, and the banned."""
    words = {entry.form for kind in LexiconKind for entry in read_entries(kind)}
    return {*words, *_NUMERALS, *banned}
