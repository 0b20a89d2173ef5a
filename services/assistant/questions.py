"""Questions about products: which product is meant, which field is asked for, what stands there."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, cast

import yaml

from services.assistant.domain import Language, Message, Named
from services.assistant.words import features
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_FILE: Final = Path(__file__).parent / "data" / "asked_fields.yaml"
REVIEWS: Final = "reviews"
_NAMES: Final = ("brand", "model")
"""Without one of these a product is not named."""
_TELLS_APART: Final = ("colour", "size", "product_type", "material", "audience", "attribute")
_SENTENCE: Final = re.compile(r"[^.!?。！？\n]+(?:[.!?。！？]+(?=\s|$|[\u3400-\u9fff])|$)")
_LEAST_SHARED: Final = 1
_OPTIONS: Final = 4


@lru_cache(maxsize=1)
def _asked_for() -> tuple[tuple[tuple[str, ...], dict[str, re.Pattern[str]]], ...]:
    loaded = cast("list[dict[str, object]]", yaml.safe_load(_FILE.read_text("utf-8")))
    return tuple(
        (
            tuple(cast("list[str]", each["fields"])),
            {
                "en": re.compile(rf"(?<![a-z])(?:{each['en']})(?![a-z])"),
                "zh": re.compile(str(each["zh"])),
            },
        )
        for each in loaded
    )


def asked_fields(text: str, language: Language) -> tuple[str, ...]:
    """Returns the fields that a question asks for, those of the first rule that holds.

    They are "price", "stock", "brand", "reviews" or keys such as "attributes.colour"; of several
    the first that a product has is meant. Empty when no rule holds.
    """
    folded = fold(text)
    for fields, patterns in _asked_for():
        if patterns[language].search(folded):
            return fields
    return ()


def names_product(message: Message) -> bool:
    """Whether a message names a brand or a model."""
    return any(each.kind in _NAMES for each in message.named)


def narrow(message: Message, products: Sequence[Product]) -> list[Product]:
    """Returns the products that a message can mean: all that hold what it names.

    Brand and model must be there; of those the ones that hold most of the rest (colour, size,
    kind) are left, and of those the ones whose words the message says most of.

    Args:
        message: As the NLU read it.
        products: That retrieval found, best first; the order is kept.
    """
    wanted = [each for each in message.named if each.kind in _NAMES]
    if not wanted:
        return []
    held = [product for product in products if all(_holds(product, each) for each in wanted)]
    rest = [each for each in message.named if each.kind in _TELLS_APART]
    words = set(features(message.text))
    scores = [
        (sum(_holds(product, each) for each in rest), _shared(words, product)) for product in held
    ]
    best = max(scores, default=(0, 0))
    return [product for product, score in zip(held, scores, strict=True) if score == best]


def _shared(words: Set[str], product: Product) -> int:
    """Counts the words of a message that stand in a title, of the title that holds most."""
    counts = (len(words & set(features(text))) for text in product.titles.values())
    return max(counts, default=0)


def _holds(product: Product, named: Named) -> bool:
    words = {fold(named.text), fold(named.normalized)} - {""}
    return any(_stands_in(word, said) for word in words for said in _said(product))


def _said(product: Product) -> Iterator[str]:
    yield from map(fold, product.titles.values())
    yield fold(product.brand)
    for value in product.attributes.values():
        yield from map(fold, value.texts)
        yield from (f"{number:g} {value.unit}".lower() for number in value.numbers)


def _stands_in(word: str, text: str) -> bool:
    """Whether a word stands in a text: whole where it is Latin, anywhere where it is Han."""
    if not word.isascii():
        return word in text
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


def field_of(products: Sequence[Product], fields: Sequence[str]) -> str:
    """Returns the first of the fields that one of the products has; "" when none has any."""
    return next(
        (field for field in fields if any(_has(product, field) for product in products)), ""
    )


def _has(product: Product, field: str) -> bool:
    head, _, key = field.partition(".")
    if head == "attributes":
        return key in product.attributes
    return {
        "price": product.price.amount > 0,
        "stock": product.stock.availability != 0,
        "brand": bool(product.brand),
        REVIEWS: bool(product.reviews) or product.review_summary.rating_count > 0,
    }.get(head, False)


def only(product: Product, field: str) -> Product:
    """Returns a product with one field alone, so that nothing else can be said of it."""
    kept = Product(id=product.id, titles=product.titles, language_code=product.language_code)
    head, _, key = field.partition(".")
    if head == "attributes":
        if key in product.attributes:
            kept.attributes[key].CopyFrom(product.attributes[key])
    elif head == "price":
        kept.price.currency_code = product.price.currency_code
        kept.price.amount = product.price.amount  # a discount is not what it costs
    elif head == "stock":
        kept.stock.CopyFrom(product.stock)
    elif head == "brand":
        kept.brand = product.brand
    elif head == REVIEWS:
        kept.review_summary.CopyFrom(product.review_summary)
    return kept


def same_value(products: Sequence[Product], field: str) -> bool:
    """Whether a field says the same of all products."""
    first = only(products[0], field)
    for other in products[1:]:
        kept = only(other, field)
        kept.id = first.id
        kept.ClearField("titles")
        kept.titles.update(first.titles)
        kept.language_code = first.language_code
        if kept != first:
            return False
    return True


def title(product: Product, language: Language) -> str:
    """Returns a product's title, in a language where it has one."""
    titles: Mapping[str, str] = product.titles
    return titles.get(language) or next(iter(titles.values()), product.id)


def options(products: Sequence[Product], language: Language) -> tuple[str, ...]:
    """Returns the titles to choose from, a few."""
    return tuple(title(each, language) for each in products[:_OPTIONS])


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as it stands in a field of a product."""

    field: str
    text: str


def description_quote(message: Message, product: Product) -> Quote | None:
    """Returns the sentence of the description that shares most with a question; None without one.

    Words that the product's title holds do not count: they say which product, not what of it.
    """
    language = message.language
    known = features(" ".join(product.titles.values()))
    named = features(" ".join(each.text for each in message.named if each.kind in _NAMES))
    asked = {word for word in features(message.text) if word not in named and len(word) > 1}
    kinds = {
        word for each in message.named if each.kind == "attribute" for word in features(each.text)
    }
    wanted = (asked - set(known)) | kinds
    best: tuple[int, str] = (0, "")
    for found in _SENTENCE.finditer(product.descriptions.get(language, "")):
        sentence = found[0].strip()
        shared = sum(word in wanted for word in features(sentence))
        best = max(best, (shared, sentence), key=lambda each: each[0])
    return Quote(f"descriptions.{language}", best[1]) if best[0] >= _LEAST_SHARED else None
