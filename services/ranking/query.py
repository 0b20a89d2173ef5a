"""The query as ranking reads it: terms, entities by what they agree with, soft conditions."""

from dataclasses import dataclass, field

from services.ranking.product_text import squeeze
from shared.text.analysis import analyse, terms
from shared.text.normalise import fold
from wherefore.nlu.v1.query_understanding_pb2 import (
    Constraint,
    Entity,
    EntityType,
    QueryUnderstanding,
)

KEY_OF_ENTITY = {
    EntityType.ENTITY_TYPE_COLOUR: "colour",
    EntityType.ENTITY_TYPE_SIZE: "size",
    EntityType.ENTITY_TYPE_MATERIAL: "material",
    EntityType.ENTITY_TYPE_AUDIENCE: "audience",
    EntityType.ENTITY_TYPE_ATTRIBUTE: "",
    EntityType.ENTITY_TYPE_OCCASION: "",
}
"""Attribute that each kind of entity is looked for in; "" means the titles and tags only."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that the query asks for, and where products hold it."""

    key: str
    text: str
    """As written, folded."""
    canonical: str
    """Folded; equals `text` where there is no canonical word."""
    terms: tuple[str, ...]
    """Of the text as written, to be looked for in titles."""


@dataclass(frozen=True, slots=True)
class QueryView:
    """What ranking compares products with. Empty when there is no query."""

    terms: tuple[str, ...] = ()
    """Terms of the search text without repeats, in order."""
    term_set: frozenset[str] = frozenset()
    """The same without an order."""
    head: str = ""
    """The last term: what a noun phrase names, in English and in Chinese."""
    phrase: str = ""
    """The terms with repeats, as `TitleText.joined` would hold them."""
    brands: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    types: tuple[frozenset[str], ...] = ()
    """Terms of each product type named, as typed and in English; each set is one reading."""
    type_heads: frozenset[str] = frozenset()
    """The head of the query where a product type holds it, as typed and in English."""
    wanted: tuple[Wanted, ...] = ()
    soft: tuple[Constraint, ...] = ()
    """Conditions that rank and do not filter."""
    present: bool = field(default=False)


def view_query(understanding: QueryUnderstanding) -> QueryView:
    """Reads a parsed query. The search text is used where the parser left one."""
    text = understanding.search_text or understanding.normalized_query or understanding.query
    found = [term for term in analyse(text) if term.normalized]
    sequence = [term.normalized for term in found]
    # The last word; of a compound and its parts, the compound.
    last = max(found, key=lambda term: (term.end, -term.start), default=None)
    head = last.normalized if last else ""
    positive = [entity for entity in understanding.entities if not entity.negated]
    types = [
        (terms(entity.text), terms(entity.normalized))
        for entity in _of_type(positive, EntityType.ENTITY_TYPE_PRODUCT_TYPE)
    ]
    return QueryView(
        terms=tuple(dict.fromkeys(sequence)),
        term_set=frozenset(sequence),
        head=head,
        phrase=f" {' '.join(sequence)} " if sequence else "",
        brands=frozenset(
            name
            for entity in _of_type(positive, EntityType.ENTITY_TYPE_BRAND)
            for name in (fold(entity.normalized), fold(entity.text))
            if name
        ),
        models=frozenset(
            squeeze(entity.text) for entity in _of_type(positive, EntityType.ENTITY_TYPE_MODEL)
        ),
        types=tuple({frozenset(words): None for both in types for words in both if words}),
        type_heads=frozenset(
            word for typed, canonical in types if head in typed for word in (head, *canonical[-1:])
        ),
        wanted=tuple(_wanted(entity) for entity in positive if entity.type in KEY_OF_ENTITY),
        soft=tuple(constraint for constraint in understanding.constraints if not constraint.hard),
        present=bool(sequence),
    )


def _of_type(entities: list[Entity], kind: EntityType.ValueType) -> list[Entity]:
    return [entity for entity in entities if entity.type == kind]


def _wanted(entity: Entity) -> Wanted:
    return Wanted(
        key=KEY_OF_ENTITY[entity.type],
        text=fold(entity.text),
        canonical=fold(entity.normalized or entity.text),
        terms=tuple(terms(entity.text)),
    )
