"""How people mistype: the channel of a noisy-channel spelling corrector.

Kernighan, Church and Gale, "A spelling correction program based on a noisy channel model" (1990):
the probability of what was typed given what was meant is that of the errors that lead from one to
the other. Errors are told apart by kind, because a neighbouring key or a letter that sounds alike
is far likelier than any other; how likely each kind is was estimated from texts that people typed
(services/nlu/train/spelling.py).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ErrorKind(StrEnum):
    """Kinds of typing errors."""

    SWAPPED = "swapped"
    """Two neighbours in the wrong order."""
    DOUBLED = "doubled"
    """A letter twice that should stand once."""
    UNDOUBLED = "undoubled"
    """A letter once that should stand twice."""
    NEAR_KEY = "near_key"
    """The key beside the right one."""
    EXTRA_NEAR = "extra_near"
    """The key beside the right one as well."""
    VOWEL = "vowel"
    """One vowel for another."""
    SOUND = "sound"
    """Letters that sound like the right ones."""
    MISSED_VOWEL = "missed_vowel"
    MISSED = "missed"
    """A consonant left out."""
    EXTRA = "extra"
    """Any other letter too many."""
    OTHER = "other"
    """Any other letter instead."""


VOWELS: Final = frozenset("aeiouy")
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
# Letters for letters, both ways: what is heard the same.
_ALIKE: Final = ("ck", "cs", "sz", "gj", "cq", "kq", "fv", "mn", "dt", "bp")
_GROUPS: Final = (("ph", "f"), ("ck", "k"), ("ck", "c"), ("gh", "g"), ("wh", "w"), ("qu", "kw"))
_SOUNDS: Final = frozenset(
    pair
    for one, two in (*((pair[0], pair[1]) for pair in _ALIKE), *_GROUPS)
    for pair in ((one, two), (two, one))
)
_LETTER_SOUNDS: Final = frozenset(pair for pair in _SOUNDS if len(pair[0]) == len(pair[1]) == 1)
_GROUP_SOUNDS: Final = tuple(sorted(_SOUNDS - _LETTER_SOUNDS))


def _neighbours() -> dict[str, frozenset[str]]:
    """Keys that touch, on rows that are each half a key further right."""
    places = {key: (row, at) for row, keys in enumerate(_ROWS) for at, key in enumerate(keys)}
    near: dict[str, frozenset[str]] = {}
    for key, (row, at) in places.items():
        touching = {(row, at - 1), (row, at + 1), (row - 1, at), (row - 1, at + 1)}
        touching |= {(row + 1, at - 1), (row + 1, at)}
        near[key] = frozenset(other for other, place in places.items() if place in touching)
    return near


NEAR: Final = _neighbours()
# A kind depends on the letters beside; the longest group has two.
_MARGIN: Final = 2
_NOBODY: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The likeliest errors that lead from one word to another, with their cost in nats."""

    cost: float
    errors: tuple[ErrorKind, ...] = ()
    first: bool = False
    """Whether the first letter is among them."""


@dataclass(frozen=True)
class ErrorModel:
    """Costs of errors: minus the logarithm of the probability of one particular outcome.

    Attributes:
        costs: By kind.
        first_letter: What an error at the first letter costs on top: people watch it.
    """

    costs: Mapping[ErrorKind, float]
    first_letter: float = 0.0

    def explain(self, meant: str, typed: str) -> Explanation:
        """Returns the cheapest errors between two words (Damerau's four, and groups of letters).

        What both begin and end with is skipped but for two letters, on which kinds depend, so the
        time is that of the part in which they differ.
        """
        begin, end = _common_ends(meant, typed)
        last, last_typed = len(meant) - end, len(typed) - end
        best: dict[tuple[int, int], Explanation] = {(begin, begin): Explanation(0.0)}
        for i in range(begin, last + 1):
            for j in range(begin, last_typed + 1):
                if (i, j) == (begin, begin):
                    continue
                options = [
                    self._after(best[a, b], kind, a == 0 or b == 0)
                    for a, b, kind in _steps(meant, typed, i, j)
                    if (a, b) in best
                ]
                if (i - 1, j - 1) in best and meant[i - 1] == typed[j - 1]:
                    options.append(best[i - 1, j - 1])
                best[i, j] = min(options, key=_cost)
        return best[last, last_typed]

    def _after(self, before: Explanation, kind: ErrorKind, first: bool) -> Explanation:
        extra = self.first_letter if first and not before.first else 0.0
        cost = before.cost + self.costs[kind] + extra
        return Explanation(cost, (*before.errors, kind), before.first or first)


def _cost(explanation: Explanation) -> float:
    return explanation.cost


def _common_ends(one: str, two: str) -> tuple[int, int]:
    """How many letters both begin and end with, less the margin, without overlap."""
    shorter = min(len(one), len(two))
    begin = 0
    while begin < shorter and one[begin] == two[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and one[-1 - end] == two[-1 - end]:
        end += 1
    return max(0, begin - _MARGIN), max(0, end - _MARGIN)


def _steps(meant: str, typed: str, i: int, j: int) -> Iterator[tuple[int, int, ErrorKind]]:
    """Errors that end at meant[:i] and typed[:j]: where they begin, and their kind."""
    if i:
        yield i - 1, j, missed_kind(meant, i - 1)
    if j:
        yield i, j - 1, extra_kind(typed, j - 1)
    if i and j and meant[i - 1] != typed[j - 1]:
        yield i - 1, j - 1, changed_kind(meant[i - 1], typed[j - 1])
    if i > 1 and j > 1 and meant[i - 2 : i] == typed[j - 1] + typed[j - 2]:
        yield i - 2, j - 2, ErrorKind.SWAPPED
    for right, wrong in _GROUP_SOUNDS:
        a, b = i - len(right), j - len(wrong)
        if a >= 0 and b >= 0 and meant[a:i] == right and typed[b:j] == wrong:
            yield a, b, ErrorKind.SOUND


def changed_kind(meant: str, typed: str) -> ErrorKind:
    """Returns the kind of one letter for another."""
    if meant in VOWELS and typed in VOWELS:
        return ErrorKind.VOWEL
    if (meant, typed) in _LETTER_SOUNDS:
        return ErrorKind.SOUND
    return ErrorKind.NEAR_KEY if typed in NEAR.get(meant, _NOBODY) else ErrorKind.OTHER


def missed_kind(meant: str, at: int) -> ErrorKind:
    """Returns the kind of leaving out the letter at a place of what was meant."""
    if meant[at] in (meant[at - 1 : at], meant[at + 1 : at + 2]):
        return ErrorKind.UNDOUBLED
    return ErrorKind.MISSED_VOWEL if meant[at] in VOWELS else ErrorKind.MISSED


def extra_kind(typed: str, at: int) -> ErrorKind:
    """Returns the kind of the letter too many at a place of what was typed."""
    beside = typed[at - 1 : at] + typed[at + 1 : at + 2]
    if typed[at] in beside:
        return ErrorKind.DOUBLED
    near = any(typed[at] in NEAR.get(other, _NOBODY) for other in beside)
    return ErrorKind.EXTRA_NEAR if near else ErrorKind.EXTRA
