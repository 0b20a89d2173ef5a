"""The limits that the contract (common/v1/product.proto) sets for a product."""

import math
import re
import unicodedata
from collections.abc import Iterator

from shared.errors import FieldViolation, entry_path
from shared.language_tag import is_language_tag
from wherefore.common.v1 import product_pb2

_CURRENCY = re.compile(r"[A-Z]{3}")
_SNAKE_CASE = re.compile(r"[^\W_A-Z]\w*")
_GTIN_LENGTHS = (8, 12, 13, 14)
_MAX_AMOUNT = 1e12
_MAX_STARS = 5
# Plain text keeps its line breaks; every other control character is refused.
_LAYOUT = "\t\n\r"


def validate_product(product: product_pb2.Product) -> list[FieldViolation]:
    """Return what breaks the contract, field by field; empty when the product is fine.

    Fields are named by path from the product, such as `price.amount` or `titles["en"]`.
    """
    return [FieldViolation(field, description) for field, description in _check(product)]


def _check(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    yield from _check_identity(product)
    yield from _check_texts(product)
    yield from _check_price(product)
    yield from _check_attributes(product)
    yield from _check_media(product)
    yield from _check_reviews(product)
    yield from _check_counts(product)


def _has_control(text: str, allowed: str = "") -> bool:
    if text.isprintable():  # the common case, in C
        return False
    return any(unicodedata.category(char) == "Cc" and char not in allowed for char in text)


def _text(
    field: str, text: str, limit: int, *, minimum: int = 0, layout: str = ""
) -> Iterator[tuple[str, str]]:
    if len(text) < minimum or (minimum and not text.strip()):
        yield field, "must not be empty"
    if len(text) > limit:
        yield field, f"must have at most {limit:,} characters, has {len(text):,}"
    if _has_control(text, layout):
        yield field, "must not contain control characters"


def _count(field: str, n: int, limit: int) -> Iterator[tuple[str, str]]:
    if n > limit:
        yield field, f"must have at most {limit} entries, has {n}"


def _check_identity(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    yield from _text("id", product.id, 128, minimum=1)
    if any(char.isspace() for char in product.id):
        yield "id", "must not contain white space"
    yield from _text("variant_group_id", product.variant_group_id, 128)
    if product.language_code and not is_language_tag(product.language_code):
        yield "language_code", "must be a BCP-47 language tag"
    for index, gtin in enumerate(product.gtins):
        if not (gtin.isascii() and gtin.isdigit() and len(gtin) in _GTIN_LENGTHS):
            yield f"gtins[{index}]", "must be 8, 12, 13 or 14 digits"


def _check_texts(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    if not product.titles:
        yield "titles", "must have at least one title"
    for name, texts, limit, minimum in (
        ("titles", product.titles, 1_000, 1),
        ("descriptions", product.descriptions, 20_000, 0),
    ):
        for language, text in texts.items():
            field = entry_path(name, language)
            if not is_language_tag(language):
                yield field, "must be keyed by a BCP-47 language tag"
            yield from _text(field, text, limit, minimum=minimum, layout=_LAYOUT)
    yield from _text("brand", product.brand, 200)
    yield from _count("category_path", len(product.category_path), 10)
    for index, level in enumerate(product.category_path):
        yield from _text(f"category_path[{index}]", level, 200, minimum=1)
    yield from _count("tags", len(product.tags), 100)
    for index, tag in enumerate(product.tags):
        yield from _text(f"tags[{index}]", tag, 100, minimum=1)


def _check_price(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    if not product.HasField("price"):
        return
    price = product.price
    if not _CURRENCY.fullmatch(price.currency_code):
        yield "price.currency_code", "must be three upper-case letters (ISO 4217)"
    for name, amount in (("amount", price.amount), ("list_amount", price.list_amount)):
        # Written so that NaN, which compares false with everything, fails too.
        if not 0 <= amount <= _MAX_AMOUNT:
            yield f"price.{name}", "must be a finite number from 0 to 1e12"
    if 0 < price.list_amount < price.amount:
        yield "price.list_amount", "must be 0 or at least the amount"


def _check_attributes(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    yield from _count("attributes", len(product.attributes), 500)
    for key, value in product.attributes.items():
        field = entry_path("attributes", key)
        if not _SNAKE_CASE.fullmatch(key):
            yield field, "must be keyed in snake_case"
        yield from _text(field, key, 128)
        kinds = bool(value.texts) + bool(value.numbers) + value.HasField("boolean")
        if kinds != 1:
            yield field, "must have exactly one of texts, numbers and boolean"
        yield from _count(f"{field}.texts", len(value.texts), 50)
        for index, text in enumerate(value.texts):
            yield from _text(f"{field}.texts[{index}]", text, 1_000, minimum=1, layout=_LAYOUT)
        yield from _count(f"{field}.numbers", len(value.numbers), 50)
        for index, number in enumerate(value.numbers):
            if not math.isfinite(number):
                yield f"{field}.numbers[{index}]", "must be a finite number"
        yield from _text(f"{field}.unit", value.unit, 50)


def _check_media(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    yield from _text("uri", product.uri, 2_000)
    yield from _count("images", len(product.images), 50)
    for index, image in enumerate(product.images):
        yield from _text(f"images[{index}].uri", image.uri, 2_000, minimum=1)
        for name, pixels in (("width", image.width), ("height", image.height)):
            if pixels < 0:
                yield f"images[{index}].{name}", "must be at least 0"


def _check_reviews(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    yield from _count("reviews", len(product.reviews), 50)
    seen: set[str] = set()
    for index, review in enumerate(product.reviews):
        field = f"reviews[{index}]"
        if review.id and review.id in seen:
            yield f"{field}.id", "must be unique within the product"
        seen.add(review.id)
        if not 0 <= review.rating <= _MAX_STARS:
            yield f"{field}.rating", "must be 0 to 5"
        yield from _text(f"{field}.text", review.text, 10_000, layout=_LAYOUT)
        if review.language_code and not is_language_tag(review.language_code):
            yield f"{field}.language_code", "must be a BCP-47 language tag"
    rating = product.review_summary.average_rating
    if not (rating == 0 or 1 <= rating <= _MAX_STARS):
        yield "review_summary.average_rating", "must be 0, or 1 to 5"


def _check_counts(product: product_pb2.Product) -> Iterator[tuple[str, str]]:
    summary, statistics = product.review_summary, product.statistics
    counts = {
        "stock.quantity": product.stock.quantity,
        "review_summary.rating_count": summary.rating_count,
        "statistics.view_count": statistics.view_count,
        "statistics.cart_count": statistics.cart_count,
        "statistics.purchase_count": statistics.purchase_count,
    }
    for index, opinion in enumerate(summary.opinions):
        field = f"review_summary.opinions[{index}]"
        if not _SNAKE_CASE.fullmatch(opinion.aspect):
            yield f"{field}.aspect", "must be in snake_case"
        counts[f"{field}.positive_count"] = opinion.positive_count
        counts[f"{field}.negative_count"] = opinion.negative_count
    for field, count in counts.items():
        if count < 0:
            yield field, "must be at least 0"
