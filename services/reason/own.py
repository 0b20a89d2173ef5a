"""Facts of a product that nobody asked for, as the catalogue states them.

They tell a product from others on a page where nothing else does. Alone they stand only where
nothing else can be said, and then by price, brand and attributes that shoppers know the name of.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final

from services.reason.facts import Fact
from services.reason.labels import LABELS, label
from services.reason.language import is_chinese, number
from services.reason.values import local_word
from wherefore.common.v1.product_pb2 import AttributeValue, Product

STRENGTH: Final = 0.05
_PRICED: Final = frozenset(
    {"price_fit", "lowest_price_on_page", "below_median_price"}
)  # these name the price
_BRANDED: Final = frozenset({"brand_match", "brand_affinity", "same_brand"})
_LONGEST: Final = 30
_COUNTED: Final = frozenset({"pieces", "model"})
"""Attributes whose numbers need no unit; a weight of 540 says nothing."""
_IN_TITLES: Final = frozenset({"model"})
"""Attributes that titles hold, so that they say little beside one."""
_BARE: Final = re.compile(r"[\d.,]+")
_PLAIN: Final = re.compile(r"[^,，、/;；。:：\"“”|\\\n]+")
"""A value that is one thing, and that a clause may hold without seeming to end."""


def own_facts(product: Product, language: str, said: Collection[Fact]) -> Iterator[Fact]:
    """Yields price, attributes and brand that no other fact names.

    Args:
        product: As the catalogue has it.
        language: "en" or "zh"; an attribute without a name in it is left out.
        said: What else may be said of the product.
    """
    codes = {fact.code for fact in said}
    if product.HasField("price") and product.price.amount > 0 and codes.isdisjoint(_PRICED):
        value = f"{product.price.amount!r} {product.price.currency_code}"
        yield Fact("stated_price", "price.amount", value, "", STRENGTH)
    sources = {fact.source for fact in said}
    known = dict(product.attributes)
    for key in (*(key for key in LABELS if key in known), *sorted(known.keys() - LABELS.keys())):
        source = f"attributes.{key}"
        if source in sources or not label(key, language):
            continue
        value = stated_value(known[key])
        if key not in _COUNTED and _BARE.fullmatch(value):
            continue
        if value and _is_of(local_word(key, value, language), language):
            yield Fact("stated_attribute", source, value, "", STRENGTH)
    if product.brand and codes.isdisjoint(_BRANDED) and _is_plain(product.brand):
        yield Fact("stated_brand", "brand", product.brand, "", STRENGTH)


def is_telling(fact: Fact) -> bool:
    """Whether a fact tells a shopper something with nothing else beside it."""
    prefix, _, key = fact.source.partition(".")
    return prefix != "attributes" or (key in LABELS and key not in _IN_TITLES)


def stated_value(attribute: AttributeValue) -> str:
    """Returns the one text or number of an attribute; empty where there are more, or none."""
    if len(attribute.texts) == 1 and _is_plain(attribute.texts[0]):
        return attribute.texts[0]
    if len(attribute.numbers) == 1 and not attribute.texts:
        return f"{_measured(attribute.numbers[0])} {attribute.unit}".strip()
    return ""


def _measured(value: float) -> str:
    """Writes a measure: 6.5, where a price would be 6.50."""
    written = number(value)
    return written.rstrip("0") if "." in written else written


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST and bool(_PLAIN.fullmatch(text)) and text == text.strip()


def _is_of(text: str, language: str) -> bool:
    """Whether a sentence of the language may hold a value; figures and model numbers are of all."""
    return is_chinese(text) == (language == "zh") or any(map(str.isdigit, text))
