"""Expansion: related words for the sparse leg, foremost the same thing in the other language.

A Chinese query finds products that are only described in English, and the reverse, through the
lexicons: 无线鼠标 looks up "wireless" and "mouse" too, at less than the weight of its own words.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from services.nlu.domain import Entity, EntityType, Expansion
from shared.text.lexicon import LexiconKind, canonical, forms
from shared.text.normalise import fold

KINDS: Final = {
    EntityType.PRODUCT_TYPE: LexiconKind.PRODUCT_TYPE,
    EntityType.COLOUR: LexiconKind.COLOUR,
    EntityType.MATERIAL: LexiconKind.MATERIAL,
    EntityType.AUDIENCE: LexiconKind.AUDIENCE,
    EntityType.OCCASION: LexiconKind.OCCASION,
    EntityType.ATTRIBUTE: LexiconKind.FEATURE,
    EntityType.BRAND: LexiconKind.BRAND,
}
# Another language's word for the same thing, and another word of the same language.
_TRANSLATION: Final = 0.8
_SYNONYM: Final = 0.5
_PER_LANGUAGE: Final = 2
_LIMIT: Final = 24
# Everywhere else a synonym is a shade ("royal blue"), which is not what was asked for.
_WITH_SYNONYMS: Final = frozenset({EntityType.PRODUCT_TYPE, EntityType.ATTRIBUTE})


def expand(entities: Sequence[Entity]) -> list[Expansion]:
    """Returns related words of what a query names; nothing for what it excludes."""
    found: dict[tuple[str, str], Expansion] = {}
    for entity in entities:
        if not entity.negated:
            for expansion in _of(entity):
                found.setdefault((expansion.term, expansion.expansion), expansion)
    return list(found.values())[:_LIMIT]


def _of(entity: Entity) -> Iterator[Expansion]:
    kind = KINDS.get(entity.type)
    if kind is None:
        return
    term = fold(entity.text)
    known = forms(kind, _canonical_key(kind, entity.normalized))
    written_in_han = not term.isascii()
    for in_han in (True, False):
        same = in_han is written_in_han
        if same and entity.type not in _WITH_SYNONYMS:
            continue
        words = [form for form in known if (not form.isascii()) is in_han]
        words = [word for word in map(fold, words) if word != term]
        for word in words[:_PER_LANGUAGE]:
            yield Expansion(term, word, _SYNONYM if same else _TRANSLATION)


def _canonical_key(kind: LexiconKind, normalized: str) -> str:
    """The lexicon spells brands as on the box; entities carry them folded."""
    return canonical(kind, normalized) or normalized
