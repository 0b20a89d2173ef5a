"""One check per code: is this fact so? Each reads back what the fact's source holds."""

import re
from collections.abc import Callable
from functools import lru_cache
from statistics import median
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.language import is_chinese
from services.reason.recheck_own import OWN_RECHECKS
from services.reason.recheck_relations import RELATION_RECHECKS
from services.reason.recheck_search import SEARCH_RECHECKS
from services.reason.values import ATTRIBUTE_KEYS, known_values, meaning
from shared.text.analysis import terms
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Availability
from wherefore.nlu.v1.query_understanding_pb2 import EntityType

RecheckFunction = Callable[[Fact, Scene], bool]
"""Whether a fact is so."""
_DAY: Final = 86_400
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
        entity.type == EntityType.ENTITY_TYPE_BRAND
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
    if not there or scene.query is None:
        return False
    own = meaning("product_type", fact.value)
    return any(
        entity.type == EntityType.ENTITY_TYPE_PRODUCT_TYPE
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
    amount, currency = _priced(fact.value)
    limit = float(fact.meets)
    if scene.query is None or fact.source != "price.amount" or not _is_price(scene, fact.value):
        return False
    return any(
        constraint.field == "price"
        and constraint.HasField("range")
        and constraint.range.HasField("max")
        and constraint.range.max == limit
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


def _lowest(fact: Fact, scene: Scene) -> bool:
    amount, currency = _priced(fact.value)
    prices = scene.page.by_currency.get(currency, ())
    return (
        _is_price(scene, fact.value)
        and len(prices) == int(fact.meets)
        and len(prices) > 1
        and sum(price <= amount for price in prices) == 1
    )


def _below_median(fact: Fact, scene: Scene) -> bool:
    percent, _, price = fact.value.partition(" ")
    amount, currency = _priced(price)
    prices = scene.page.by_currency.get(currency, ())
    if not _is_price(scene, price) or not prices or len(prices) != int(fact.meets):
        return False
    return _percent_below(percent, amount, median(prices))


def _discount(fact: Fact, scene: Scene) -> bool:
    price = scene.product.price
    return price.list_amount > price.amount > 0 and _percent_below(
        fact.value, price.amount, price.list_amount
    )


def _percent_below(percent: str, amount: float, reference: float) -> bool:
    """Whether the whole percentage is right, rounded down so that it never promises more."""
    exact = 100 * (reference - amount) / reference
    claimed = int(percent.removesuffix("%"))
    return percent.endswith("%") and 0 < claimed <= exact + 1e-6 and exact < claimed + 1 + 1e-6


def _rating(fact: Fact, scene: Scene) -> bool:
    stars, count = fact.value.split(" ")
    summary = scene.product.review_summary
    return float(stars) == summary.average_rating and int(count) == summary.rating_count > 0


def _praise(fact: Fact, scene: Scene) -> bool:
    praise, total = (int(part) for part in fact.value.split(" "))
    aspect = fact.code.removeprefix("praised_")
    return fact.source == f"review_summary.opinions.{aspect}" and any(
        opinion.aspect == aspect
        and opinion.positive_count == praise
        and praise + opinion.negative_count == total
        and praise > opinion.negative_count
        for opinion in scene.product.review_summary.opinions
    )


def _popular(fact: Fact, scene: Scene) -> bool:
    return int(fact.value) == scene.product.statistics.purchase_count > 0


def _in_stock(fact: Fact, scene: Scene) -> bool:
    available = scene.product.stock.availability == Availability.AVAILABILITY_IN_STOCK
    return available and fact.value == "in stock"


def _new(fact: Fact, scene: Scene) -> bool:
    if not scene.product.HasField("release_time"):
        return False
    age = scene.now - scene.product.release_time.seconds
    return age >= 0 and int(fact.value) == int(age // _DAY)


def _history(fact: Fact, scene: Scene) -> bool:
    if scene.user is None or fact.meets not in scene.anchors:
        return False
    bought = fact.code == "because_you_bought"
    return any(
        recent.product_id == fact.meets
        and recent.title == fact.value
        and (recent.action == "purchase") == bought
        for recent in scene.user.recent_products
    )


def _brand_affinity(fact: Fact, scene: Scene) -> bool:
    if scene.user is None or not fact.value or fact.value != scene.product.brand:
        return False
    return scene.user.brand_affinities.get(fact.value.lower(), 0.0) > 0


def _category_affinity(fact: Fact, scene: Scene) -> bool:
    path = list(scene.product.category_path)
    if scene.user is None or not path or fact.value != path[-1] or fact.meets != " > ".join(path):
        return False
    return scene.user.category_affinities.get(fact.meets, 0.0) > 0


def _priced(value: str) -> tuple[float, str]:
    amount, _, currency = value.partition(" ")
    return float(amount), currency


def _is_price(scene: Scene, value: str) -> bool:
    amount, currency = _priced(value)
    price = scene.product.price
    return (
        scene.product.HasField("price")
        and amount == price.amount > 0
        and currency == price.currency_code
    )


RECHECKS: Final[dict[str, RecheckFunction]] = {
    "attribute_match": _attribute,
    "brand_match": _brand,
    "product_type_match": _product_type,
    "title_match": _title,
    "price_fit": _price_fit,
    "exclusion_met": _exclusion,
    "lowest_price_on_page": _lowest,
    "below_median_price": _below_median,
    "discount": _discount,
    "well_reviewed": _rating,
    "popular": _popular,
    "in_stock": _in_stock,
    "new_arrival": _new,
    "because_you_viewed": _history,
    "because_you_bought": _history,
    "brand_affinity": _brand_affinity,
    "category_affinity": _category_affinity,
    **RELATION_RECHECKS,
    **SEARCH_RECHECKS,
    **OWN_RECHECKS,
    **dict.fromkeys(
        ("praised_value_for_money", "praised_quality", "praised_reputation", "praised_gift"),
        _praise,
    ),
}
"""Checks by code; a code without one cannot be claimed."""
