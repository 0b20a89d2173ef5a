"""Checks of what is claimed to be as the query asks."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.language import is_chinese
from services.reason.recheck_prices import is_price, priced
from services.reason.values import ATTRIBUTE_KEYS, called, is_narrower, known_values, meaning
from shared.text.analysis import terms
from shared.text.normalise import fold
from wherefore.nlu.v1.query_understanding_pb2 import ENTITY_TYPE_BRAND, ENTITY_TYPE_PRODUCT_TYPE

_SIGNS: Final = re.compile("[™®©℠]")


def _asked(scene: Scene, text: str) -> bool:
    """Whether the words stand in the query."""
    return bool(text) and scene.query is not None and fold(text) in fold(scene.query.query)


def _attribute(fact: Fact, scene: Scene) -> bool:
    prefix, _, key = fact.source.partition(".")
    if prefix != "attributes" or fact.value not in known_values(scene.product, key):
        return False
    if not _asked(scene, fact.meets) or scene.query is None:
        return False
    return any(
        not entity.negated
        and entity.text == fact.meets
        and ATTRIBUTE_KEYS.get(entity.type) == key
        and meaning(key, fact.value) in (meaning(key, entity.text), meaning(key, entity.normalized))
        for entity in scene.query.entities
    )


def _brand(fact: Fact, scene: Scene) -> bool:
    if fact.source != "brand" or fact.value != scene.product.brand or scene.query is None:
        return False
    return any(
        entity.type == ENTITY_TYPE_BRAND
        and not entity.negated
        and entity.text == fact.meets
        and fold(fact.value) in (fold(entity.text), fold(entity.normalized))
        for entity in scene.query.entities
    )


def _product_type(fact: Fact, scene: Scene) -> bool:
    product = scene.product
    if fact.source == "category_path":
        there = fact.value in product.category_path[-1:]
    else:
        there = fact.source == "attributes.product_type" and fact.value in known_values(
            product, "product_type"
        )
    if not there or scene.query is None or is_narrower(fact.meets, fact.value, called(product)):
        return False
    own = meaning("product_type", fact.value)
    return any(
        entity.type == ENTITY_TYPE_PRODUCT_TYPE
        and not entity.negated
        and entity.text == fact.meets
        and own
        in (meaning("product_type", entity.text), meaning("product_type", entity.normalized))
        for entity in scene.query.entities
    )


def _title(fact: Fact, scene: Scene) -> bool:
    prefix, _, tag = fact.source.partition(".")
    if prefix != "titles" or tag not in scene.product.titles or scene.query is None:
        return False
    # NFKC would write the signs out, as letters of the word before.
    title = fold(_SIGNS.sub(" ", scene.product.titles[tag]))
    words = fact.value.split(", ")
    asked = set(_terms(scene.query.query)) | set(_terms(scene.query.search_text))
    met = set(_terms(fact.meets))
    return (
        all(word and _stands_in(fold(word), title) for word in words)
        and all(_all_asked(word, asked) for word in words)
        and bool(met)
        and met <= set(_terms(scene.query.query))
    )


def _stands_in(word: str, title: str) -> bool:
    """Whether a title holds a piece as whole words; Han has no blanks to hold them apart."""
    before = r"(?<![a-z0-9])" if word[0].isascii() else ""
    after = r"(?![a-z0-9])" if word[-1].isascii() else ""
    return bool(re.search(before + re.escape(word) + after, title))


def _all_asked(text: str, asked: set[str]) -> bool:
    """Whether each term of a quoted piece was asked for; Han words may be parts or compounds."""
    found = _terms(text)
    return bool(found) and all(
        term in asked
        or (is_chinese(term) and any(term in other or other in term for other in asked))
        for term in found
    )


@lru_cache(maxsize=4_096)
def _terms(text: str) -> tuple[str, ...]:
    return tuple(terms(text))


def _price_fit(fact: Fact, scene: Scene) -> bool:
    amount, currency = priced(fact.value)
    limit = float(fact.meets)
    if scene.query is None or fact.source != "price.amount" or not is_price(scene, fact.value):
        return False
    return any(
        constraint.field == "price"
        and constraint.HasField("range")
        and constraint.range.HasField("max")
        and constraint.range.max == limit
        and constraint.hard  # what is searched around a guess is no limit that somebody set
        and amount <= limit
        and (not constraint.range.HasField("min") or amount >= constraint.range.min)
        and _same_currency(constraint.range.unit, currency)
        for constraint in scene.query.constraints
    )


def _same_currency(unit: str, currency: str) -> bool:
    """Whether a limit in `unit` may be held against a price: no unit is the price's own."""
    of_unit = _CURRENCIES.get(fold(unit), {unit.upper()})
    return not unit or currency in of_unit


_CURRENCIES: Final = {
    "¥": {"CNY", "JPY"},
    "￥": {"CNY", "JPY"},
    "元": {"CNY"},
    "块": {"CNY"},
    "rmb": {"CNY"},
    "$": {"USD"},
    "€": {"EUR"},
    "£": {"GBP"},
}


def _exclusion(fact: Fact, scene: Scene) -> bool:
    prefix, _, key = fact.source.partition(".")
    known = known_values(scene.product, key)
    if prefix != "attributes" or not known or fact.value != ", ".join(known):
        return False
    if scene.query is None:
        return False
    unwanted = meaning(key, fact.meets)
    excluded = any(
        constraint.field == key
        and constraint.HasField("none_of")
        and any(meaning(key, value) == unwanted for value in constraint.none_of.values)
        for constraint in scene.query.constraints
    )
    return excluded and all(meaning(key, value) != unwanted for value in known)


ASKED_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    "attribute_match": _attribute,
    "brand_match": _brand,
    "product_type_match": _product_type,
    "title_match": _title,
    "price_fit": _price_fit,
    "exclusion_met": _exclusion,
}
"""By code."""
