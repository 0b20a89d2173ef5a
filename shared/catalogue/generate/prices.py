"""Prices as shops write them."""

import statistics
from random import Random

from shared.catalogue.generate.design import Design, Variant
from shared.catalogue.generate.vocabulary import Vocabulary
from wherefore.common.v1.product_pb2 import Price

CURRENCY = "CNY"
_SHARE_REDUCED = 0.35


def price(
    words: Vocabulary, design: Design, variant: Variant, is_reduced: bool, discount: float
) -> Price:
    """Return the price of a variant: larger ones cost more, and some are reduced.

    Args:
        words: Knows how dear the materials are.
        design: Its price is that of a middling variant.
        variant: Its varied number sets how far from the middle it is.
        is_reduced: Whether there is a higher list price.
        discount: Part of the list price that is taken off, 0 to 1.
    """
    kind, amount = design.kind, design.price
    if len(kind.materials) > 1:
        amount *= words.materials[design.material].price_factor
    if kind.vary:
        middle = statistics.median(kind.numbers[kind.vary].values)
        amount *= (variant.numbers[kind.vary] / middle) ** kind.elasticity
    amount = natural_price(amount)
    before = natural_price(amount / (1 - discount)) if is_reduced else 0.0
    return Price(
        currency_code=CURRENCY, amount=amount, list_amount=before if before > amount else 0.0
    )


def draw_discount(rng: Random) -> tuple[bool, float]:
    """Return whether a design is reduced, and by which part of its list price."""
    return rng.random() < _SHARE_REDUCED, rng.uniform(0.1, 0.4)


def natural_price(amount: float) -> float:
    """Return the nearest price that a shop would print: 12.9, 58, 129, 1,299."""
    if amount < 30:  # noqa: PLR2004
        return max(1, int(amount)) + 0.9
    if amount < 100:  # noqa: PLR2004
        return float(round(amount))
    step = 10 if amount < 1000 else 100  # noqa: PLR2004
    return float(max(1, round(amount / step)) * step - 1)
