"""What a reason takes up of the query: its words, and of what it wishes what the product has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.evaluation.claims import Record
from shared.evaluation.claims.record import KIND_OF_KEY
from shared.text.analysis import terms
from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.normalise import fold
from wherefore.nlu.v1.query_understanding_pb2 import (
    Constraint,
    Entity,
    EntityType,
    QueryUnderstanding,
)

_KEYS: Final = {
    EntityType.ENTITY_TYPE_COLOUR: "colour",
    EntityType.ENTITY_TYPE_SIZE: "size",
    EntityType.ENTITY_TYPE_MATERIAL: "material",
    EntityType.ENTITY_TYPE_AUDIENCE: "audience",
    EntityType.ENTITY_TYPE_OCCASION: "occasion",
}
_NUMBER: Final = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a query wishes of a product that the product has, and what of it a sentence names."""

    met: tuple[str, ...]
    named: tuple[str, ...]


def word_coverage(query: str, text: str) -> float:
    """Returns the share of a query's words that a sentence takes up, 0 to 1.

    A word counts that stands there or means the same ("black", "黑色").
    """
    wanted = set(terms(query))
    if not wanted:
        return 1.0
    meant = {(m.kind, m.canonical) for m in find_mentions(text)}
    met = wanted & set(terms(text))
    for mention in find_mentions(query):
        if (mention.kind, mention.canonical) in meant:
            met |= wanted & set(terms(mention.text))
    return len(met) / len(wanted)


def wishes(understanding: QueryUnderstanding, record: Record, text: str) -> Wishes:
    """Holds entities and conditions of a query against the product and the sentence.

    Args:
        understanding: Of the query; entities, limits of price and exclusions count.
        record: The product as the catalogue states it: title, brand, attributes, category, price.
        text: The sentence.
    """
    met: list[str] = []
    named: list[str] = []
    for wish, is_met, is_named in _held(understanding, record, text):
        if is_met and wish not in met:
            met.append(wish)
            if is_named:
                named.append(wish)
    return Wishes(tuple(met), tuple(named))


def _held(
    understanding: QueryUnderstanding, record: Record, text: str
) -> Iterator[tuple[str, bool, bool]]:
    for entity in understanding.entities:
        if not entity.negated and entity.type != EntityType.ENTITY_TYPE_PRICE:
            yield entity.text, _has(entity, record), _names(entity, text)
    for constraint in understanding.constraints:
        if constraint.field == "price" and constraint.HasField("range"):
            yield "price", _affordable(constraint, record), _says_limit(constraint, text)
        elif constraint.HasField("none_of") and constraint.field in KIND_OF_KEY:
            kind = KIND_OF_KEY[constraint.field]
            stated = record.stated.get(kind, frozenset())
            for unwanted in constraint.none_of.values:
                said = {m.canonical for m in find_mentions(text, [kind])}
                known = bool(stated) and unwanted not in stated
                yield f"not {unwanted}", known, unwanted in said


def _has(entity: Entity, record: Record) -> bool:
    product = record.product
    if entity.type == EntityType.ENTITY_TYPE_BRAND:
        return bool(product.brand) and fold(product.brand) in (
            fold(entity.text),
            fold(entity.normalized),
        )
    told = [*product.titles.values(), *product.category_path]
    key = _KEYS.get(entity.type, "product_type")
    told += [
        text
        for name, values in product.attributes.items()
        for text in values.texts
        if name == key or entity.type == EntityType.ENTITY_TYPE_ATTRIBUTE
    ]
    return any(_names(entity, each) for each in told)


def _names(entity: Entity, text: str) -> bool:
    words = set(terms(entity.text))
    if words and words <= set(terms(text)):
        return True
    kinds = {kind: {m.canonical for m in find_mentions(text, [kind])} for kind in _kinds(entity)}
    wanted = {entity.normalized.casefold(), entity.text.casefold()}
    return any(wanted & values for values in kinds.values())


def _kinds(entity: Entity) -> list[LexiconKind]:
    """Of words that mean the same; a model or a size has none."""
    kinds = {
        EntityType.ENTITY_TYPE_BRAND: LexiconKind.BRAND,
        EntityType.ENTITY_TYPE_PRODUCT_TYPE: LexiconKind.PRODUCT_TYPE,
        EntityType.ENTITY_TYPE_ATTRIBUTE: LexiconKind.FEATURE,
    }
    kind = KIND_OF_KEY.get(_KEYS.get(entity.type, "")) or kinds.get(entity.type)
    return [kind] if kind else []


def _affordable(constraint: Constraint, record: Record) -> bool:
    amount, wanted = record.product.price.amount, constraint.range
    high = wanted.max if wanted.HasField("max") else float("inf")
    return 0 < amount <= high and amount >= wanted.min


def _says_limit(constraint: Constraint, text: str) -> bool:
    limits = {
        getattr(constraint.range, end) for end in ("min", "max") if constraint.range.HasField(end)
    }
    return any(float(found.replace(",", "")) in limits for found in _NUMBER.findall(text))
