"""Matcher: finds many phrases in a text at once, by a trie of characters."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from shared.text.normalise import fold

ValueT = TypeVar("ValueT")

# Signs that shops write where others write a blank or nothing special: "t-shirt", "men’s".
_ALIKE: Final = str.maketrans(
    {"-": " ", "‐": " ", "‑": " ", "_": " ", "’": "'", "`": "'", "\t": " "}
)
_HAN: Final = (("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff"))


@dataclass(frozen=True, slots=True)
class Match(Generic[ValueT]):
    """A phrase found: its value and its span [start, end) in code points of the text as given."""

    value: ValueT
    start: int
    end: int


@dataclass(slots=True)
class _Node(Generic[ValueT]):
    children: "dict[str, _Node[ValueT]]" = field(default_factory=lambda: {})
    # Values with the characters of which one must follow.
    values: list[tuple[ValueT, str]] = field(default_factory=lambda: [])


class PhraseMatcher(Generic[ValueT]):
    """Phrases with a value each. Built once, then only read: safe to share between threads.

    Example:
        >>> matcher = PhraseMatcher([("power bank", 1, ""), ("bank", 2, "")])
        >>> [(match.value, match.start) for match in matcher.find("a Power-Bank")]
        [(1, 2)]
    """

    def __init__(self, phrases: Iterable[tuple[str, ValueT, str]]) -> None:
        """Builds the trie from (phrase, value, characters of which one must follow or "")."""
        self._root: _Node[ValueT] = _Node()
        for phrase, value, followed_by in phrases:
            node = self._root
            for character in phrase_key(phrase):
                node = node.children.setdefault(character, _Node())
            if node is not self._root:
                node.values.append((value, followed_by))

    def find(
        self, text: str, accept: Callable[[ValueT], bool] | None = None
    ) -> list[Match[ValueT]]:
        """Finds phrases, longest first, without overlaps.

        Args:
            text: Any text.
            accept: Which values count; all when None. Of several for one phrase the first wins.

        Returns:
            The matches in order of their spans.
        """
        folded, offsets = _fold_with_offsets(text)
        matches: list[Match[ValueT]] = []
        position = 0
        while position < len(folded):
            if best := self._longest(folded, position, accept):
                end, value = best
                matches.append(Match(value, offsets[position], offsets[end]))
                position = end
            else:
                position += 1
        return matches

    def _longest(
        self, folded: str, start: int, accept: Callable[[ValueT], bool] | None
    ) -> tuple[int, ValueT] | None:
        if start and _is_latin(folded[start]) and _is_latin(folded[start - 1]):
            return None
        node: _Node[ValueT] | None = self._root
        best: tuple[int, ValueT] | None = None
        position = start
        while node and position < len(folded):
            node = node.children.get(folded[position])
            position += 1
            if node:
                for value, followed_by in node.values:
                    if (accept is None or accept(value)) and _may_end(
                        folded, position, followed_by
                    ):
                        best = position, value
                        break
        return best


def phrase_key(text: str) -> str:
    """Returns the spelling by which a phrase is known: folded, hyphens as blanks."""
    return " ".join(fold(text).translate(_ALIKE).split())


def plurals(phrase: str) -> Iterator[str]:
    """Yields the regular plural of an English noun phrase, by its last word."""
    if not (phrase.isascii() and phrase[-1:].isalpha()):
        return
    if phrase.endswith("s") and not phrase.endswith("ss"):
        return
    if phrase.endswith(("ss", "x", "ch", "sh")):
        yield f"{phrase}es"
    elif phrase.endswith("y") and phrase[-2:-1] not in "aeiou":
        yield f"{phrase[:-1]}ies"
    else:
        yield f"{phrase}s"


def _may_end(folded: str, end: int, followed_by: str) -> bool:
    following = folded[end : end + 1]
    if followed_by:
        at_end = "$" in followed_by and not (following and _is_han(following))
        return at_end or (following != "" and following in followed_by)
    return not (following and _is_latin(following) and _is_latin(folded[end - 1]))


def _is_latin(character: str) -> bool:
    return character.isalnum() and not _is_han(character)


def _is_han(character: str) -> bool:
    return any(low <= character <= high for low, high in _HAN)


def _fold_with_offsets(text: str) -> tuple[str, list[int]]:
    """Folds character by character; offsets[i] is where folded[i] comes from, plus the end."""
    if text.isascii():
        return text.lower().translate(_ALIKE), list(range(len(text) + 1))
    folded: list[str] = []
    offsets: list[int] = []
    for index, character in enumerate(text):
        plain = unicodedata.normalize("NFKC", character).casefold().translate(_ALIKE)
        folded.append(plain)
        offsets.extend([index] * len(plain))
    offsets.append(len(text))
    return "".join(folded), offsets
