"""The findings as one HTML file that loads nothing: what to mend first, and how whole it all is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from shared.catalogue.quality.findings import SEVERITIES, Finding
from shared.category_path import category_text
from wherefore.common.v1.product_pb2 import Product

_STYLE: Final = Path(__file__).parents[2] / "evaluation" / "report.css"
_SHOWN: Final = 25
"""Findings of a kind that are shown; the file of findings has all."""
_CATEGORIES: Final = 40
_FIELDS: Final = ("brand", "price", "images", "descriptions", "attributes", "reviews", "gtins")


def render(name: str, products: Sequence[Product], findings: Sequence[Finding]) -> str:
    """Returns the page.

    Args:
        name: Of the catalogue.
        products: All of them.
        findings: Worst first.
    """
    body = "".join((_head(name, products, findings), _kinds(findings), _whole(products)))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Catalogue check</title><style>{_STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _head(name: str, products: Sequence[Product], findings: Sequence[Finding]) -> str:
    counts = Counter((one.kind, one.severity) for one in findings)
    mended = Counter(one.kind for one in findings if one.fix)
    rows = [
        [kind, severity, f"{count:,}", f"{mended[kind]:,}"]
        for (kind, severity), count in sorted(
            counts.items(), key=lambda item: (SEVERITIES.index(item[0][1]), -item[1])
        )
    ]
    touched = len({product for one in findings for product in one.products})
    return (
        f"<h1>Catalogue check</h1><p>{escape(name)}: {len(products):,} products, "
        f"{len(findings):,} findings on {touched:,} of them.</p>"
        + _table(("kind", "severity", "findings", "of the kind with a fix"), rows)
    )


def _kinds(findings: Sequence[Finding]) -> str:
    by_kind: defaultdict[str, list[Finding]] = defaultdict(list)
    for one in findings:
        by_kind[one.kind].append(one)
    parts: list[str] = []
    for kind, found in by_kind.items():
        rows = [
            [
                ", ".join(one.products[:4]),
                one.field,
                one.message,
                f"{one.confidence:.2f}",
                one.evidence,
            ]
            for one in sorted(found, key=lambda one: (not one.fix, -one.confidence))[:_SHOWN]
        ]
        more = f" ({_SHOWN} of {len(found):,})" if len(found) > _SHOWN else ""
        parts.append(f"<h2>{escape(kind)}{more}</h2>")
        parts.append(_table(("products", "field", "what", "sure", "evidence"), rows))
    return "".join(parts)


def _whole(products: Sequence[Product]) -> str:
    """How many products of each category state each field."""
    by_category: defaultdict[str, list[Product]] = defaultdict(list)
    for product in products:
        by_category[category_text(product.category_path) or "(none)"].append(product)
    largest = sorted(by_category.items(), key=lambda item: -len(item[1]))[:_CATEGORIES]
    rows = [
        [category, f"{len(members):,}", *(_share(members, field) for field in _FIELDS)]
        for category, members in largest
    ]
    return "<h2>How whole it is</h2>" + _table(("category", "products", *_FIELDS), rows)


def _share(members: Sequence[Product], field: str) -> str:
    told = sum(
        product.HasField("price") if field == "price" else bool(getattr(product, field))
        for product in members
    )
    return f"{told / len(members):.0%}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
