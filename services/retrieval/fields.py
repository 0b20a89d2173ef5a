"""The payload of a product: what filters, lists and statistics look at."""

import math
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from services.retrieval.store.port import FieldKind
from shared.category_path import category_text
from shared.text.analysis import terms
from shared.text.document import product_types, titles
from shared.text.lexicon import LexiconKind, canonical, find_mentions
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import (
    AVAILABILITY_IN_STOCK,
    AVAILABILITY_UNSPECIFIED,
    Product,
)


class ValueKind(StrEnum):
    """Kinds of values as filters see them; how each is kept is another matter."""

    KEYWORD = "keyword"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"


# Indexed from the start. Numbers of attributes get their index when a filter first names them.
INDEXED: Final = {
    "brand": FieldKind.KEYWORD,
    "category": FieldKind.KEYWORD,
    "price": FieldKind.NUMBER,
    "currency": FieldKind.KEYWORD,
    "rating": FieldKind.NUMBER,
    "rating_count": FieldKind.NUMBER,
    "in_stock": FieldKind.KEYWORD,
    "tags": FieldKind.KEYWORD,
    "colour": FieldKind.KEYWORD,
    "size": FieldKind.KEYWORD,
    "material": FieldKind.KEYWORD,
    "audience": FieldKind.KEYWORD,
    "product_type": FieldKind.KEYWORD,
    "release_time": FieldKind.NUMBER,
    "variant_group_id": FieldKind.KEYWORD,
    "attribute": FieldKind.KEYWORD,
    "title_terms": FieldKind.KEYWORD,
    "vector_model": FieldKind.KEYWORD,
    "popularity": FieldKind.NUMBER,
}
LEXICONS: Final = {
    "colour": LexiconKind.COLOUR,
    "material": LexiconKind.MATERIAL,
    "audience": LexiconKind.AUDIENCE,
}
# Longer texts are prose: nobody filters by them, and they would fill the index.
_LONGEST_VALUE: Final = 120
_SAFE_KEY: Final = re.compile(r"[a-z0-9_]+")
# The rating that a product without reviews is thought to have, and how many reviews that thought is
# worth (a Bayesian average).
_PRIOR_RATING: Final = 3.5
_PRIOR_COUNT: Final = 5.0


def filter_payload(product: Product) -> dict[str, Any]:
    """Returns the payload fields of `INDEXED` that the product has, and its attributes' numbers."""
    payload: dict[str, Any] = {
        "brand": fold(product.brand),
        "category": _categories(product.category_path),
        "in_stock": truth_value(is_in_stock(product)),
        "tags": _folded(product.tags),
        "product_type": _folded(product_types(product)),
        "size": _sizes(product),
        "variant_group_id": product.variant_group_id,
        "attribute": _attribute_values(product),
        "title_terms": sorted({term for title in titles(product) for term in terms(title)}),
        "popularity": popularity(product),
        "num": {
            number_key(key): list(value.numbers)
            for key, value in product.attributes.items()
            if value.numbers
        },
    }
    payload |= {key: _canonical_values(product, key, kind) for key, kind in LEXICONS.items()}
    if product.HasField("price"):
        payload |= {"price": product.price.amount, "currency": product.price.currency_code}
    if product.review_summary.rating_count:
        payload["rating"] = product.review_summary.average_rating
    payload["rating_count"] = product.review_summary.rating_count
    if product.HasField("release_time"):
        payload["release_time"] = product.release_time.seconds + product.release_time.nanos / 1e9
    return {key: value for key, value in payload.items() if value not in ("", [], {})}


def number_key(key: str) -> str:
    """Returns the key that an attribute's numbers are kept under, safe within a payload path."""
    return key if _SAFE_KEY.fullmatch(key) else f"x{key.encode().hex()}"


def number_path(key: str) -> str:
    """Returns the payload path of an attribute's numbers."""
    return f"num.{number_key(key)}"


def attribute_value(key: str, value: str) -> str:
    """Returns the keyword that says "the attribute has this value"."""
    return f"{key}={fold(value)}"


def truth_value(value: bool) -> str:
    """Returns how a truth value is kept: as a keyword, so that one kind of index does for all."""
    return "true" if value else "false"


def is_in_stock(product: Product) -> bool:
    """Whether the product can be bought now; not stated counts as yes."""
    available = (AVAILABILITY_UNSPECIFIED, AVAILABILITY_IN_STOCK)
    return product.stock.availability in available


def popularity(product: Product) -> float:
    """Returns how popular a product is by the shop's own counts, 0 and up.

    ln(1 + views + 5 carts + 20 purchases), plus the Bayesian average of its stars against the prior
    and the logarithm of its reviews, so that a catalogue without counts is ordered by its reviews.
    """
    statistics, reviews = product.statistics, product.review_summary
    activity = (
        statistics.view_count + 5.0 * statistics.cart_count + 20.0 * statistics.purchase_count
    )
    total = _PRIOR_RATING * _PRIOR_COUNT + reviews.average_rating * reviews.rating_count
    rating = total / (_PRIOR_COUNT + reviews.rating_count)
    return math.log1p(activity) + 0.5 * rating + 0.5 * math.log1p(reviews.rating_count)


def _folded(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(fold(text) for text in texts if text))


def _categories(path: Iterable[str]) -> list[str]:
    """Returns each level, and each path from the root joined with " > "."""
    levels = [fold(level) for level in path]
    paths = [category_text(levels[: n + 1]) for n in range(len(levels))]
    return list(dict.fromkeys([*levels, *paths]))


def _sizes(product: Product) -> list[str]:
    if "size" not in product.attributes:
        return []
    size = product.attributes["size"]
    numbers = [f"{number:g}" for number in size.numbers]
    measures = [f"{number} {size.unit}" for number in numbers if size.unit]
    return _folded([*size.texts, *numbers, *measures])


def _canonical_values(product: Product, key: str, kind: LexiconKind) -> list[str]:
    """Returns the values as written and as the lexicon has them; from the titles when lacking."""
    texts = product.attributes[key].texts if key in product.attributes else ()
    values: list[str] = []
    for text in texts:
        values.append(text[:_LONGEST_VALUE])
        known = canonical(kind, text)
        values.extend([known] if known else _mentioned(text, kind))
    if not texts:
        values = [value for title in titles(product) for value in _mentioned(title, kind)]
    return _folded(values)


def _mentioned(text: str, kind: LexiconKind) -> list[str]:
    return [mention.canonical for mention in find_mentions(text, (kind,))]


def _attribute_values(product: Product) -> list[str]:
    """Returns "key" and "key=value" for every text and truth value."""
    values: list[str] = []
    for key, value in product.attributes.items():
        if value.HasField("boolean"):
            values += [key, attribute_value(key, truth_value(value.boolean))]
        short = [text for text in value.texts if len(text) <= _LONGEST_VALUE]
        if short:
            values += [key, *(attribute_value(key, text) for text in short)]
    return list(dict.fromkeys(values))
