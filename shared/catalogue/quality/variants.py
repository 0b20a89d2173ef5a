"""Products that are one but for colour, size or capacity, and are not marked as variants."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from shared.catalogue.quality.findings import Finding
from shared.catalogue.quality.values import IDENTITY, Value, conflicts, core, stated
from shared.text.document import titles
from wherefore.common.v1.product_pb2 import Product

_MOST_CONFLICTS: Final = 3
"""Attributes that variants may differ in; what differs in more is another product."""
_PRICE_RATIO: Final = 3.0
_SURE, _TORN = 0.9, 0.6
"""Confidence; the second where parts of a group already have different ids."""
_LARGEST: Final = 60
"""Products of a group whose pairs are compared; more share a title that says nothing."""


def find_variants(
    products: Sequence[Product], values: Sequence[Mapping[str, Value]] | None = None
) -> Iterator[Finding]:
    """Yields groups of products that look like variants of each other and share no group id.

    Two are variants when their titles are the same without colours, sizes, measures and values of
    their own attributes, brand and category are the same, nothing that says which product it is
    differs, and at most three other attributes do.

    Args:
        products: The catalogue.
        values: What each states, by `values.stated`; read off them when None.
    """
    by_core: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    values = [stated(product) for product in products] if values is None else values
    for index, product in enumerate(products):
        if rest := core(titles(product)[0], values[index]):
            by_core[(product.brand, tuple(product.category_path), rest)].append(index)
    for members in by_core.values():
        if 1 < len(members) <= _LARGEST:
            for group in _groups(members, products, values):
                if finding := _finding([products[n] for n in group], [values[n] for n in group]):
                    yield finding


def are_variants(
    one: Product, other: Product, of_one: Mapping[str, Value], of_other: Mapping[str, Value]
) -> bool:
    """Whether two products whose titles have the same core differ only as variants do."""
    differing = conflicts(of_one, of_other)
    if not differing or len(differing) > _MOST_CONFLICTS or IDENTITY & set(differing):
        return False
    cheap, dear = sorted((one.price.amount, other.price.amount))
    return not cheap or dear <= _PRICE_RATIO * cheap


def _groups(
    members: Sequence[int], products: Sequence[Product], values: Sequence[Mapping[str, Value]]
) -> Iterator[list[int]]:
    """Yields the connected groups of two and more."""
    group_of = {member: {member} for member in members}
    for one, other in combinations(members, 2):
        if group_of[one] is not group_of[other] and are_variants(
            products[one], products[other], values[one], values[other]
        ):
            joined = group_of[one] | group_of[other]
            for member in joined:
                group_of[member] = joined
    seen: set[int] = set()
    for member in members:
        if member not in seen and len(group_of[member]) > 1:
            seen |= group_of[member]
            yield sorted(group_of[member])


def _finding(products: Sequence[Product], values: Sequence[Mapping[str, Value]]) -> Finding | None:
    marked = Counter(product.variant_group_id for product in products)
    if len(marked) == 1 and "" not in marked:
        return None
    named = [name for name, _ in marked.most_common() if name]
    differing = sorted(
        {key for one, other in combinations(values, 2) for key in conflicts(one, other)}
    )
    group = named[0] if named else f"variants-of-{products[0].id}"
    return Finding(
        kind="variants",
        severity="warning",
        products=tuple(product.id for product in products),
        field="variant_group_id",
        message=f"{len(products)} products differ only in {', '.join(differing)} and are not "
        "marked as variants: shoppers see each by itself. Give them one variant_group_id",
        confidence=_SURE if len(named) <= 1 else _TORN,
        fix={"variant_group_id": group},
        evidence="; ".join(titles(product)[0] for product in products[:3]),
    )
