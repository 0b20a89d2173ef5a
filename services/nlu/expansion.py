"""Expansion: related words for the sparse leg, foremost the same thing in the other language.

A Chinese query finds products that are only described in English, and the reverse, through the
lexicons: 无线鼠标 looks up "wireless" and "mouse" too, at less than the weight of its own words.
Synonyms of the same language are left to the dense leg: as words of the sparse leg they cost 0.04
of nDCG@10 on real queries ("desktop" found every "computer"), and gained nothing.
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
_WEIGHT: Final = 0.8
_PER_ENTITY: Final = 2
_LIMIT: Final = 24


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
    others = [fold(form) for form in known if form.isascii() is not term.isascii()]
    for word in others[:_PER_ENTITY]:
        yield Expansion(term, word, _WEIGHT)


def _canonical_key(kind: LexiconKind, normalized: str) -> str:
    """The lexicon spells brands as on the box; entities carry them folded."""
    return canonical(kind, normalized) or normalized
