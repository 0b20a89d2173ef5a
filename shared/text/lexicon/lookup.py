"""Lookup: finds the lexicons' forms in a text and canonical values for whole texts."""

import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from shared.text.lexicon.kinds import Entry, LexiconKind, read_entries
from shared.text.normalise import fold

# Signs that shops write where others write a blank or nothing special: "t-shirt", "men’s".
_ALIKE: Final = str.maketrans(
    {"-": " ", "‐": " ", "‑": " ", "_": " ", "’": "'", "`": "'", "\t": " "}
)
_HAN: Final = (("\u3400", "\u4dbf"), ("\u4e00", "\u9fff"), ("\uf900", "\ufaff"))


@dataclass(frozen=True, slots=True)
class Mention:
    """A form found in a text; the span [start, end) counts code points of the text as given."""

    kind: LexiconKind
    canonical: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class _Node:
    children: "dict[str, _Node]" = field(default_factory=lambda: {})
    entries: list[tuple[LexiconKind, Entry]] = field(default_factory=lambda: [])


def find_mentions(text: str, kinds: Collection[LexiconKind] | None = None) -> list[Mention]:
    """Finds what the lexicons list, longest first, without overlaps.

    Latin forms match whole words only, regular plurals of the last word included; Han forms match
    anywhere, as Chinese is written without blanks.

    Args:
        text: Any text.
        kinds: Which lexicons to use; all when None. A form listed in several is of the first kind
            in the order of `LexiconKind`.

    Returns:
        The mentions in order of their spans.
    """
    wanted = None if kinds is None else frozenset(kinds)
    folded, offsets = _fold_with_offsets(text)
    mentions: list[Mention] = []
    position = 0
    while position < len(folded):
        if best := _longest(folded, position, wanted):
            end, kind, entry = best
            start_of, end_of = offsets[position], offsets[end]
            mentions.append(Mention(kind, entry.canonical, text[start_of:end_of], start_of, end_of))
            position = end
        else:
            position += 1
    return mentions


def canonical(kind: LexiconKind, text: str) -> str | None:
    """Returns the canonical English value of a whole text, or None when the lexicon has none."""
    return _whole_values(kind).get(_key(text))


def forms(kind: LexiconKind, canonical_value: str) -> tuple[str, ...]:
    """Returns the forms of a canonical value, most usual first within each language."""
    return _forms(kind).get(canonical_value, ())


def _longest(
    folded: str, start: int, wanted: frozenset[LexiconKind] | None
) -> tuple[int, LexiconKind, Entry] | None:
    if start and _is_latin(folded[start]) and _is_latin(folded[start - 1]):
        return None
    node: _Node | None = _trie()
    best: tuple[int, LexiconKind, Entry] | None = None
    position = start
    while node and position < len(folded):
        node = node.children.get(folded[position])
        position += 1
        if node:
            for kind, entry in node.entries:
                if (wanted is None or kind in wanted) and _may_end(folded, position, entry):
                    best = position, kind, entry
                    break
    return best


def _may_end(folded: str, end: int, entry: Entry) -> bool:
    following = folded[end : end + 1]
    if entry.followed_by:
        at_end = "$" in entry.followed_by and not (following and _is_han(following))
        return at_end or (following != "" and following in entry.followed_by)
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


def _key(text: str) -> str:
    return " ".join(fold(text).translate(_ALIKE).split())


def _plurals(form: str) -> Iterator[str]:
    """Regular plurals of an English noun phrase, by its last word."""
    if not (form.isascii() and form[-1:].isalpha()):
        return
    if form.endswith("s") and not form.endswith("ss"):
        return
    if form.endswith(("ss", "x", "ch", "sh")):
        yield f"{form}es"
    elif form.endswith("y") and form[-2:-1] not in "aeiou":
        yield f"{form[:-1]}ies"
    else:
        yield f"{form}s"


def _spellings(kind: LexiconKind, entry: Entry) -> list[str]:
    form = _key(entry.form)
    return [form, *_plurals(form)] if kind is LexiconKind.PRODUCT_TYPE else [form]


@lru_cache(maxsize=1)
def _trie() -> _Node:
    root = _Node()
    for kind in LexiconKind:
        for entry in read_entries(kind):
            if entry.whole_only:
                continue
            for spelling in _spellings(kind, entry):
                node = root
                for character in spelling:
                    node = node.children.setdefault(character, _Node())
                node.entries.append((kind, entry))
    return root


@lru_cache(maxsize=len(LexiconKind))
def _whole_values(kind: LexiconKind) -> dict[str, str]:
    values: dict[str, str] = {}
    for entry in read_entries(kind):
        for spelling in _spellings(kind, entry):
            values.setdefault(spelling, entry.canonical)
    return values


@lru_cache(maxsize=len(LexiconKind))
def _forms(kind: LexiconKind) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for entry in read_entries(kind):
        if not entry.whole_only and not entry.followed_by:
            found.setdefault(entry.canonical, []).append(entry.form)
    return {value: tuple(forms_of) for value, forms_of in found.items()}
