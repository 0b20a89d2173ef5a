"""Which results a rule's filter is about, by the prices of the account that asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from services.orchestrator.terms.price_check import is_sound
from services.orchestrator.terms.price_conditions import free_parts, holds, names_price
from shared.filter_syntax import Expression, format_filter, parse_filter
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class ShiftFilter:
    """A filter, and what of it retrieval is asked.

    Attributes:
        tree: The filter where it is about the prices of an account; None where retrieval decides.
        parts: What of it is not about prices.
        asked: Filters that retrieval is asked.
    """

    tree: Expression | None
    parts: tuple[Expression, ...]
    asked: tuple[str, ...]

    @classmethod
    def of(cls, text: str, *, by_account: bool) -> Self:
        """Returns a rule's filter, which parses."""
        tree = parse_filter(text) if by_account else None
        # What retrieval would refuse it is asked: then the rule is left out, and that is told.
        if tree is None or not names_price(tree) or not is_sound(tree):
            return cls(None, (), (text,))
        parts = tuple(dict.fromkeys(free_parts(tree)))
        return cls(tree, parts, tuple(map(format_filter, parts)))

    def met(
        self, ids: Sequence[str], selected: Sequence[set[str]], priced: Mapping[str, Product]
    ) -> set[str]:
        """Returns the products that meet it.

        Args:
            ids: Of all of them.
            selected: Those that meet each filter of `asked`.
            priced: With the account's prices.
        """
        if self.tree is None:
            return selected[0]
        met: set[str] = set()
        for product_id in ids:
            product = priced.get(product_id, Product())
            amount = product.price.amount if product.HasField("price") else None
            known = {
                part: product_id in found for part, found in zip(self.parts, selected, strict=True)
            }
            if holds(self.tree, amount, product.price.currency_code, known):
                met.add(product_id)
        return met
