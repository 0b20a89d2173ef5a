"""Entities: brands, kinds of product, models, colours and so on, by catalogue, lexicon and pattern.

The transparent first version, and the fallback of every later one. Confidences are stated, not
learnt: a word that the catalogue itself uses says more than a word of a general list, and that says
more than a shape.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.domain import Entity, EntityType
from services.nlu.patterns import (
    find_clothing_sizes,
    find_measures,
    find_models,
    find_order_ids,
)
from shared.text.lexicon import LexiconKind, canonical, find_mentions
from shared.text.normalise import fold

CATALOGUE: Final = "catalogue"
LEXICON: Final = "lexicon"
PATTERN: Final = "pattern"

_KINDS: Final = {
    LexiconKind.COLOUR: EntityType.COLOUR,
    LexiconKind.MATERIAL: EntityType.MATERIAL,
    LexiconKind.AUDIENCE: EntityType.AUDIENCE,
    LexiconKind.OCCASION: EntityType.OCCASION,
    LexiconKind.PRODUCT_TYPE: EntityType.PRODUCT_TYPE,
    LexiconKind.BRAND: EntityType.BRAND,
    LexiconKind.FEATURE: EntityType.ATTRIBUTE,
}
LEXICON_KINDS: Final = {entity: kind for kind, entity in _KINDS.items()}
"""The lexicon in which the entities of a type stand; other types have none."""

_IN_CATALOGUE = 0.95
_IN_LEXICON = 0.85
_SIZE_PATTERN = 0.9
_MODEL_PATTERN = 0.75
_ORDER_PATTERN = 0.95
# Where two candidates are equally long, what the catalogue says wins over the general list, and
# both over a shape.
_PRECEDENCE = {CATALOGUE: 0, LEXICON: 1, PATTERN: 2}


def find_entities(text: str, terms: CatalogueTerms) -> list[Entity]:
    """Finds what a query names.

    Args:
        text: Folded query (see WorkingText).
        terms: The catalogue's own terms.

    Returns:
        Entities without overlaps, in order of their spans in `text`.
    """
    candidates = [
        candidate
        for finder in (_from_catalogue, _from_lexicon, _from_patterns)
        for candidate in finder(text, terms)
    ]
    return resolve_overlaps(candidates)


def resolve_overlaps(candidates: Iterable[Entity]) -> list[Entity]:
    """Keeps the longest of overlapping candidates; on a tie the source that says more."""
    chosen: list[Entity] = []
    ranked = sorted(
        candidates,
        key=lambda e: (e.start - e.end, _PRECEDENCE.get(e.source, 0), -e.confidence, e.start),
    )
    for candidate in ranked:
        if all(candidate.end <= other.start or other.end <= candidate.start for other in chosen):
            chosen.append(candidate)
    return sorted(chosen, key=lambda entity: entity.start)


def _from_catalogue(text: str, terms: CatalogueTerms) -> Iterator[Entity]:
    known_by = _IN_CATALOGUE, CATALOGUE
    for match in terms.brand_matcher.find(text):
        span = match.start, match.end
        yield _entity(EntityType.BRAND, text, span, fold(match.value), known_by)
    for match in terms.type_matcher.find(text):
        span = match.start, match.end
        value = canonical(LexiconKind.PRODUCT_TYPE, match.value) or fold(match.value)
        yield _entity(EntityType.PRODUCT_TYPE, text, span, value, known_by)


def _from_lexicon(text: str, terms: CatalogueTerms) -> Iterator[Entity]:
    for mention in find_mentions(text):
        kind, value = _KINDS[mention.kind], mention.canonical
        known_by = _IN_LEXICON, LEXICON
        if kind is EntityType.BRAND:
            value = fold(terms.brand_value(value))
            if value in terms.brand_spellings:  # 索尼 in a catalogue that sells Sony
                known_by = _IN_CATALOGUE, CATALOGUE
        yield _entity(kind, text, (mention.start, mention.end), value, known_by)


def _from_patterns(text: str, terms: CatalogueTerms) -> Iterator[Entity]:
    sized = _SIZE_PATTERN, PATTERN
    for measure in find_measures(text):
        numbers = dict.fromkeys((f"{measure.low:g}", f"{measure.high:g}"))
        value = f"{'-'.join(numbers)} {measure.unit}"
        yield _entity(EntityType.SIZE, text, (measure.start, measure.end), value, sized)
    for size, start, end in find_clothing_sizes(text):
        yield _entity(EntityType.SIZE, text, (start, end), size, sized)
    for order, start, end in find_order_ids(text):
        yield _entity(EntityType.ORDER_ID, text, (start, end), order, (_ORDER_PATTERN, PATTERN))
    for model, start, end in find_models(text):
        known = fold(model) in terms.vocabulary
        known_by = (_IN_CATALOGUE, CATALOGUE) if known else (_MODEL_PATTERN, PATTERN)
        yield _entity(EntityType.MODEL, text, (start, end), fold(model), known_by)


def _entity(
    kind: EntityType, text: str, span: tuple[int, int], value: str, known_by: tuple[float, str]
) -> Entity:
    return Entity(kind, text[slice(*span)], value, *span, *known_by)
