"""What a product's attributes say, in a form that can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.normalise import fold
from shared.text.product_values import attribute_values
from wherefore.common.v1.product_pb2 import Product

IDENTITY: Final = frozenset(
    {
        *("model", "model_number", "mpn", "part_number", "product_code", "series"),
        *("product_type", "type", "compatibility"),
    }
)
"""Attributes that say which product it is: variants of one share them."""
Value = frozenset[str]
_WORD: Final = re.compile(r"[^\W_]+(?:[.,]\d+)?", re.UNICODE)
_SIZES: Final = frozenset(
    ("xxxs", "xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl", "2xl", "3xl", "4xl")
)
_MEASURE: Final = re.compile(
    # Only from the first digit on, and nothing is given back: as long as the text, not its square.
    r"(?<!\d)\d++(?:[.,]\d++)?+\s*+(?:gb|tb|mb|mm|cm|m|kg|g|ml|l|w|mah|inch(?:es)?|pcs|pieces?|pages?|pack"
    r"|寸|英寸|克|毫升|升|米|支|片|件|页|块|码)(?![a-z])|\bpack of \d+"
)
_SIZED: Final = re.compile(r"size|length|width|waist|height")
"""Attributes whose value may be a bare number in a title."""


def stated(product: Product) -> dict[str, Value]:
    """Returns the comparable value of every attribute."""
    found: dict[str, Value] = {}
    for key, value in product.attributes.items():
        if value.texts:
            found[key] = attribute_values(product, key)
        elif value.numbers:
            found[key] = frozenset(f"{number:g}{fold(value.unit)}" for number in value.numbers)
        elif value.HasField("boolean"):
            found[key] = frozenset({str(value.boolean)})
    return found


def conflicts(one: Mapping[str, Value], other: Mapping[str, Value]) -> list[str]:
    """Returns the attributes that both state, differently."""
    return sorted(key for key in one.keys() & other.keys() if not one[key] & other[key])


def words(text: str) -> list[str]:
    """Returns the words of a text, folded: runs of letters and digits; Han runs whole."""
    return _WORD.findall(fold(text))


def sets_apart(word: str, values: Mapping[str, Value]) -> bool:
    """Whether a word of a title says which variant it is: a size, a number, a value of its own."""
    return (
        any(sign.isdigit() for sign in word)
        or word in _SIZES
        or any(word in words(value) for key in values.keys() - IDENTITY for value in values[key])
        or bool(find_mentions(word, [LexiconKind.COLOUR]))
    )


def core(title: str, values: Mapping[str, Value]) -> tuple[str, ...]:
    """Returns a title without what sets variants apart: colours, sizes, measures, own values.

    Args:
        title: In one language.
        values: Of the product's attributes, as `stated` gives them.
    """
    text = fold(title)
    spans = [
        (mention.start, mention.end)
        for mention in find_mentions(title, [LexiconKind.COLOUR])
        if len(text) == len(title)
    ]
    for start, end in sorted(spans, reverse=True):
        text = f"{text[:start]} {text[end:]}"
    text = _MEASURE.sub(" ", text)
    for key in values.keys() - IDENTITY:
        for value in sorted(values[key], key=len, reverse=True):
            if len(value) > 1 and (not value.isdecimal() or _SIZED.search(key)):
                edge = r"(?<![^\W_])" if value[0].isascii() else ""
                far = r"(?![^\W_])" if value[-1].isascii() else ""
                text = re.sub(f"{edge}{re.escape(value)}{far}", " ", text)
    return tuple(sorted(word for word in words(text) if word not in _SIZES))
