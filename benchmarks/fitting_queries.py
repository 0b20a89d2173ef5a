"""Queries for what fits a device, "toner for hp LaserJet 4250", made of what products say they fit.

The products to be found are those that name the device in a compatibility attribute and whose
titles hold the word for the kind of thing. Made of the same lists that search indexes, they tell
whether these are found, and nothing of what shoppers ask.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from benchmarks import report
from services.recommend.graph.designations import fitted_brands, mentions
from shared.evaluation import report as scoring
from shared.evaluation.judgments import Judgments
from shared.evaluation.report import SystemReport
from wherefore.common.v1.product_pb2 import Product

COUNT, SEED = 150, 1
KINDS = (
    *("toner", "ink", "cartridge", "battery", "case", "memory", "lamp", "paper", "charger"),
    *("adapter", "dock", "bag", "screen"),
)
BRANDS = (
    *("hp", "epson", "canon", "brother", "lexmark", "xerox", "kyocera", "samsung", "dell"),
    *("lenovo", "oki", "ricoh", "apple", "acer", "asus", "toshiba", "sony", "nec", "sharp"),
)
MOST_PRODUCTS = 30
"""A word that more of them name is hardly one device."""
RELEVANT = 3


def fitting_judgments(products: Iterable[Product], count: int = COUNT) -> Judgments:
    """Returns so many queries, drawn by chance, with the products to be found."""
    by_id = {product.id: product for product in products}
    names: dict[str, str] = {}
    fitting: dict[str, list[str]] = defaultdict(list)
    for product in by_id.values():
        for key, mention in mentions(product).items():
            if mention.stated:
                names.setdefault(key, mention.designation.text)
                fitting[key].append(product.id)
    keys = sorted(fitting)
    random.Random(SEED).shuffle(keys)  # noqa: S311 - a sample, not secrets
    judgments: dict[str, dict[str, int]] = {}
    for key in keys:
        if len(judgments) == count:
            break
        found = [by_id[product_id] for product_id in fitting[key]]
        titles = [" ".join(product.titles.values()).casefold() for product in found]
        kind = _common(KINDS, titles)
        if len(found) > MOST_PRODUCTS or kind is None or not any(map(str.isalpha, names[key])):
            continue
        brand = _common(BRANDS, [fitted_brands(product) for product in found]) or ""
        query = " ".join(f"{kind} for {brand} {names[key]}".split())
        judgments[query] = {
            product.id: RELEVANT
            for product, title in zip(found, titles, strict=True)
            if kind in title
        }
    return judgments


def _common(words: Sequence[str], texts: Sequence[str | frozenset[str]]) -> str | None:
    """The first word that half of the texts hold."""
    return next((w for w in words if 2 * sum(w in text for text in texts) >= len(texts)), None)


def section(systems: Mapping[str, SystemReport], names: Mapping[str, str], products: int) -> str:
    """The section of RESULTS.md."""
    queries = len(next(iter(systems.values())).by_query[scoring.JUDGED])
    rows: list[list[str]] = []
    for name, system in systems.items():
        means = system.means()
        values = [means[m] or 0 for m in (scoring.NDCG, scoring.MRR, scoring.RECALL)]
        rows.append([names.get(name, f"peer: {name}"), *(f"{value:.3f}" for value in values)])
    return "\n".join(
        [
            "## What fits a device",
            "",
            report.provenance("python -m benchmarks.relevance", f"icecat, {products:,} products"),
            "",
            report.table(("system", "nDCG@10", "MRR@10", "recall@100"), rows),
            "",
            f"{queries} queries such as “toner for brother HL-720”, made of what products say they "
            "fit; to be found are those that name the device in a compatibility attribute. The "
            "lists are what search indexes, so this tells that they are found, and nothing of what "
            "shoppers ask. The peers are those of the section on relevance, and `bm25s` reads the "
            "lists too.",
        ]
    )
