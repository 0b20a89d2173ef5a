"""Mends a catalogue by the findings that were accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from shared.catalogue.quality.findings import Finding
from wherefore.common.v1.product_pb2 import AttributeValue, Product


def apply(products: Iterable[Product], accepted: Iterable[Finding]) -> Iterator[Product]:
    """Yields the products as the accepted findings would have them; deleted ones are left out.

    What a product states already stays: a finding of an older catalogue overwrites nothing but
    the titles, categories and groups that it is about.

    Args:
        products: The catalogue; not changed.
        accepted: Findings with a fix; those without have nothing to apply.
    """
    by_product: dict[str, list[Finding]] = {}
    for finding in accepted:
        # A duplicate is about the first; what a group gets, all of its products get.
        ids = finding.products if finding.kind == "variants" else finding.products[:1]
        for product_id in ids:
            by_product.setdefault(product_id, []).append(finding)
    for product in products:
        findings = by_product.get(product.id, [])
        if any(one.fix.get("delete") for one in findings):
            continue
        mended = Product()
        mended.CopyFrom(product)
        for one in findings:
            _mend(mended, one)
        yield mended


def _mend(product: Product, finding: Finding) -> None:
    fix = finding.fix
    if group := fix.get("variant_group_id"):
        product.variant_group_id = group
    if path := fix.get("category_path"):
        product.category_path[:] = path
    for language, title in fix.get("title", {}).items():
        product.titles[language] = title
    attributes: dict[str, dict[str, Any]] = fix.get("attribute", {})
    for key, value in attributes.items():
        if key not in product.attributes:
            product.attributes[key].CopyFrom(AttributeValue(**value))
