"""Values of a product's attributes and model codes, in the form in which they are compared."""

import re

from shared.text.lexicon import LexiconKind, find_mentions
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Product

_VALUE_SEPARATOR = re.compile(r"[,，、/;；]")
LEXICON_OF_KEY = {
    "colour": LexiconKind.COLOUR,
    "material": LexiconKind.MATERIAL,
    "audience": LexiconKind.AUDIENCE,
}
"""Attributes whose values have canonical words."""


def squeeze(text: str) -> str:
    """Keeps letters and digits only: "TN-2110" and "tn 2110" become "tn2110"."""
    return "".join(ch for ch in fold(text) if ch.isalnum())


def attribute_values(product: Product, key: str) -> frozenset[str]:
    """Returns an attribute's text values, folded, in parts, and canonical where possible.

    "Black, White" gives "black, white", "black" and "white"; colour "黑色" also gives "black".
    """
    if key not in product.attributes:
        return frozenset()
    folded: set[str] = set()
    kind = LEXICON_OF_KEY.get(key)
    for text in product.attributes[key].texts:
        folded.add(fold(text))
        folded.update(fold(part) for part in _VALUE_SEPARATOR.split(text) if part.strip())
        if kind is not None:
            folded.update(mention.canonical for mention in find_mentions(text, [kind]))
    return frozenset(folded)
