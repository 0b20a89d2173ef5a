"""Where prices stand in their categories: kept by category and currency, found by bisection.

Variants of one group are one product to a shopper, so a group counts once, by its lowest price:
what is said to cost more then does in every variant.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict

from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

_Category = tuple[tuple[str, ...], str]
"""Path and currency."""


class PriceGatherer:
    """Takes in products one by one; `prices` may be read at any time."""

    def __init__(self) -> None:
        self._lowest: defaultdict[_Category, dict[str, float]] = defaultdict(dict)

    def add(self, product: Product) -> None:
        """Counts a product that has a price and a category."""
        if (key := _category(product)) is None:
            return
        group = product.variant_group_id or product.id
        lowest = self._lowest[key]
        lowest[group] = min(lowest.get(group, product.price.amount), product.price.amount)

    def prices(self) -> "CategoryPrices":
        """Returns what was taken in; 8 bytes a group."""
        return CategoryPrices(
            {key: array("d", sorted(lowest.values())) for key, lowest in self._lowest.items()}
        )


class CategoryPrices:
    """Lowest price of each group, ascending, by category and currency."""

    def __init__(self, ascending: dict[_Category, "array[float]"]) -> None:
        self._ascending = ascending

    def standing(self, product: Product) -> PriceStanding | None:
        """Returns where a product's price stands; None where there is nothing to compare it with.

        None as well where the price is not among those counted: it has changed since, and the
        product would be compared with itself.
        """
        key = _category(product)
        prices = self._ascending.get(key) if key is not None else None
        amount = product.price.amount
        if prices is None or len(prices) < 2:  # noqa: PLR2004 - itself and another
            return None
        place = bisect_left(prices, amount)
        counted = place < len(prices) and prices[place] == amount
        # A variant may cost more than the lowest price of its group, which stands for it.
        if not counted and (place == 0 or not product.variant_group_id):
            return None
        return PriceStanding(
            category=product.category_path[-1],
            currency_code=product.price.currency_code,
            compared_count=len(prices) - 1,
            dearer_count=len(prices) - bisect_right(prices, amount),
        )


def _category(product: Product) -> _Category | None:
    if not product.category_path or product.price.amount <= 0:
        return None
    return tuple(product.category_path), product.price.currency_code
