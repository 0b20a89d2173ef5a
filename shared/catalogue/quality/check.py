"""All checks of a catalogue in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from shared.catalogue.quality.completion import find_missing_attributes
from shared.catalogue.quality.duplicates import find_duplicates
from shared.catalogue.quality.findings import Finding, ordered
from shared.catalogue.quality.gaps import find_gaps, find_odd_prices, find_title_faults
from shared.catalogue.quality.values import stated
from shared.catalogue.quality.variants import find_variants
from wherefore.common.v1.product_pb2 import Product

PASSES: Final = 3
"""Times that a check goes through the products, for its progress."""


def check(
    products: Sequence[Product], advance: Callable[[int], None] = lambda _: None
) -> list[Finding]:
    """Returns all findings, worst first.

    Args:
        products: The catalogue.
        advance: Called with the number of products that a pass is done with since.
    """
    found: list[Finding] = []
    for product in products:
        found += find_gaps(product)
        found += find_title_faults(product)
        advance(1)
    found += find_missing_attributes(products, advance)
    found += find_odd_prices(products)
    values = [stated(product) for product in products]
    found += find_variants(products, values)
    found += find_duplicates(products, advance, values)
    return ordered(found)


def doubted_categories(lines: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """Returns the stated categories that the classifier doubts, with the one that it says.

    Args:
        lines: Of a file that `wherefore classify --out` wrote.
    """
    found: list[Finding] = []
    for line in lines:
        said: list[str] = line.get("category_path") or []
        known: list[str] = line.get("stated_path") or []
        evidence: list[dict[str, Any]] = line.get("evidence") or []
        doubted = line.get("stated", {}).get("verdict") == "STATED_CATEGORY_VERDICT_DOUBTED"
        if said and (doubted or not known):
            is_now = f"is {' > '.join(known)}" if known else "is missing"
            found.append(
                Finding(
                    "category",
                    "warning",
                    (str(line["product_id"]),),
                    "category_path",
                    f"{is_now}; its words speak for {' > '.join(said)}",
                    confidence=round(float(line.get("probability", 0.0)), 3),
                    fix={"category_path": said},
                    evidence=", ".join(str(one["text"]) for one in evidence[:5]),
                )
            )
    return found
