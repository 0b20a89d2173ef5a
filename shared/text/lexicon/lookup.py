"""Lookup: finds the lexicons' forms in a text and canonical values for whole texts."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from shared.text.lexicon.kinds import Entry, LexiconKind, read_entries
from shared.text.lexicon.matcher import PhraseMatcher, phrase_key, plurals


@dataclass(frozen=True, slots=True)
class Mention:
    """A form found in a text; the span [start, end) counts code points of the text as given."""

    kind: LexiconKind
    canonical: str
    text: str
    start: int
    end: int


def find_mentions(text: str, kinds: Collection[LexiconKind] | None = None) -> list[Mention]:
    """Finds what the lexicons list, longest first, without overlaps.

    Latin forms match whole words only, regular plurals of product types included; Han forms match
    anywhere, as Chinese is written without blanks.

    Args:
        text: Any text.
        kinds: Which lexicons to use; all when None. A form listed in several is of the first kind
            in the order of `LexiconKind`.

    Returns:
        The mentions in order of their spans.
    """

    def accept(value: tuple[LexiconKind, str]) -> bool:
        return kinds is None or value[0] in kinds

    return [
        Mention(*match.value, text[match.start : match.end], match.start, match.end)
        for match in _matcher().find(text, accept)
        if match.start < match.end
    ]


def canonical(kind: LexiconKind, text: str) -> str | None:
    """Returns the canonical English value of a whole text, or None when the lexicon has none."""
    return _whole_values(kind).get(phrase_key(text))


def forms(kind: LexiconKind, canonical_value: str) -> tuple[str, ...]:
    """Returns the forms of a canonical value, most usual first within each language."""
    return _forms(kind).get(canonical_value, ())


def _spellings(kind: LexiconKind, entry: Entry) -> list[str]:
    form = phrase_key(entry.form)
    return [form, *plurals(form)] if kind is LexiconKind.PRODUCT_TYPE else [form]


@lru_cache(maxsize=1)
def _matcher() -> PhraseMatcher[tuple[LexiconKind, str]]:
    return PhraseMatcher(
        (spelling, (kind, entry.canonical), entry.followed_by)
        for kind in LexiconKind
        for entry in read_entries(kind)
        if not entry.whole_only
        for spelling in _spellings(kind, entry)
    )


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
