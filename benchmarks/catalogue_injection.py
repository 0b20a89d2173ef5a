"""Products listed once more as shops do it by mistake: other words, order, typing, gaps."""

from __future__ import annotations

import random
from collections.abc import Sequence

from wherefore.common.v1.product_pb2 import Product

_SWAPS = {
    "with": "w/",
    "and": "&",
    "original": "genuine original",
    "women's": "womens",
    "men's": "mens",
}


def listed_again(product: Product, number: int, chance: random.Random) -> Product:
    """Returns a product as somebody else might enter it, under another id.

    One or two of: a typing error, words in another order, a word left out, capitals, shortened
    words; the price moves by up to 10 %, attributes and description are partly lost.
    """
    again = Product()
    again.CopyFrom(product)
    again.id = f"again-{number}"
    again.variant_group_id = ""
    del again.gtins[:]
    for language, title in list(again.titles.items()):
        words = title.split()
        for way in chance.sample(range(5), chance.choice((1, 1, 2))):
            words = _changed(words, way, chance)
        again.titles[language] = " ".join(words)
    if again.price.amount:
        again.price.amount = round(again.price.amount * chance.uniform(0.9, 1.1), 2)
    for key in list(again.attributes):
        if chance.random() < 0.3:
            del again.attributes[key]
    if chance.random() < 0.5:
        again.descriptions.clear()
    again.ClearField("statistics")
    del again.reviews[:]
    return again


def _changed(words: Sequence[str], way: int, chance: random.Random) -> list[str]:
    found = list(words)
    plain = [n for n, word in enumerate(found) if word.isalpha() and len(word) > 4]
    match way:
        case 0 if plain:  # two letters change places
            at = chance.choice(plain)
            letter = chance.randrange(1, len(found[at]) - 2)
            word = found[at]
            found[at] = word[:letter] + word[letter + 1] + word[letter] + word[letter + 2 :]
        case 1 if len(found) > 2:
            half = len(found) // 2
            found = found[half:] + found[:half]
        case 2 if plain and len(found) > 4:
            del found[chance.choice(plain)]
        case 3:
            found = [word.upper() for word in found]
        case _:
            found = [_SWAPS.get(word.lower(), word) for word in found]
    return found
