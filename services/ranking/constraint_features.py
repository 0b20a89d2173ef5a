"""Features from the query's soft conditions: price ranges, wished and unwanted values.

Hard conditions are filters and have been applied by retrieval; only soft ones are scored.
"""

import math
from collections.abc import Iterable

from services.ranking.product_text import ProductText, attribute_values
from services.ranking.query import QueryView
from shared.text.analysis import terms
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import Constraint, NumberRange

_UNKNOWN = 0.5
"""Fit of a product that does not say: between one that fits and one that does not."""


def range_fit(value: float, wanted: NumberRange) -> float:
    """1 inside the range; outside, the ratio of the nearer end and the value, 0 to 1.

    A price of 110 for "about 100 at most" fits by 0.91; one of 200 by 0.5.
    """
    low = wanted.min if wanted.HasField("min") else -math.inf
    high = wanted.max if wanted.HasField("max") else math.inf
    if low <= value <= high:
        return 1.0
    bound = low if value < low else high
    smaller, larger = sorted((abs(value), abs(bound)))
    return smaller / larger if larger and value * bound > 0 else 0.0


def price_fit(query: QueryView, product: Product) -> float:
    """Fit of the price to the query's soft range, 0 to 1; 0 for every product without a range."""
    ranges = [c.range for c in query.soft if c.field == "price" and c.HasField("range")]
    if not ranges:
        return 0.0
    if not product.HasField("price"):
        return _UNKNOWN
    return min(range_fit(product.price.amount, wanted) for wanted in ranges)


def soft_match(query: QueryView, product: Product, text: ProductText) -> float:
    """Mean fit to the query's other soft wishes (values and numbers), 0 to 1."""
    fits = [
        _wish_fit(c, product, text)
        for c in query.soft
        if c.HasField("any_of") or (c.HasField("range") and c.field != "price")
    ]
    return sum(fits) / len(fits) if fits else 0.0


def unwanted(query: QueryView, product: Product, text: ProductText) -> float:
    """Share of the query's soft exclusions that the product breaks, 0 to 1."""
    broken = [
        _has_any(c.field, c.none_of.values, product, text)
        for c in query.soft
        if c.HasField("none_of")
    ]
    return sum(broken) / len(broken) if broken else 0.0


def _wish_fit(constraint: Constraint, product: Product, text: ProductText) -> float:
    if constraint.HasField("any_of"):
        return float(_has_any(constraint.field, constraint.any_of.values, product, text))
    if constraint.field == "rating":
        rating = product.review_summary.average_rating
        return range_fit(rating, constraint.range) if rating else _UNKNOWN
    if constraint.field not in product.attributes:
        return _UNKNOWN
    numbers = product.attributes[constraint.field].numbers
    return max((range_fit(number, constraint.range) for number in numbers), default=_UNKNOWN)


def _has_any(key: str, values: Iterable[str], product: Product, text: ProductText) -> bool:
    return any(_has(key, fold(value), product, text) for value in values)


def _has(key: str, value: str, product: Product, text: ProductText) -> bool:
    if key == "brand":
        return text.brand == value
    if key == "text":
        words = terms(value)
        return any(
            bool(words) and all(word in title.positions for word in words) for title in text.titles
        )
    values = text.values.get(key)
    return value in (values if values is not None else attribute_values(product, key))
