"""What a product should say and does not, and titles and prices that are odd."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from shared.catalogue.quality.findings import Finding, Severity
from shared.text.document import titles
from wherefore.common.v1.product_pb2 import Product

_LONG, _SHORT = 150, 3
"""Characters of a title: longer ones are cut off in lists, shorter ones name nothing."""
_CAPITALS: Final = 0.8
_LETTERS: Final = 12
"""Letters that a title must have before its capitals are counted: "BMW X5" is right as it is."""
_FEW: Final = 8
"""Products of a category below which its prices say nothing."""
_FAR: Final = 5.0
"""Robust standard deviations from the category's median, of logarithms, that are odd (Iglewicz and
Hoaglin, "How to Detect and Handle Outliers", 1993, hold 3.5 for odd; prices have longer tails)."""
_TO_SIGMA: Final = 1.4826


def find_gaps(product: Product) -> Iterator[Finding]:
    """Yields the fields without which a product is hardly found or trusted."""
    languages = set(product.titles)
    lacking: list[tuple[str, Severity, str]] = []
    if not product.category_path:
        lacking.append(
            ("category_path", "warning", "facets miss it; `wherefore classify` proposes one")
        )
    if not product.HasField("price"):
        lacking.append(("price", "warning", "filters by price leave it out"))
    if not product.images:
        lacking.append(("images", "warning", "shoppers see no picture"))
    if not product.descriptions:
        lacking.append(("descriptions", "warning", "it is found by its title alone"))
    if not product.brand:
        lacking.append(("brand", "hint", "searches for a brand miss it"))
    if not product.attributes:
        lacking.append(
            ("attributes", "warning", "no filter finds it; `wherefore tags` proposes some")
        )
    for field, severity, why in lacking:
        yield Finding(
            "missing_field", severity, (product.id,), field, f"is missing: {why}", confidence=1.0
        )
    if product.descriptions and (untold := languages - set(product.descriptions)):
        yield Finding(
            "missing_field",
            "hint",
            (product.id,),
            f'descriptions["{min(untold)}"]',
            f"is missing, and there is a title in {min(untold)}",
            confidence=1.0,
        )


def find_title_faults(product: Product) -> Iterator[Finding]:
    """Yields what is wrong with how titles are written."""
    for language, title in product.titles.items():
        message, fix = "", ""
        letters = [sign for sign in title if sign.isalpha() and sign.isascii()]
        if len(title) > _LONG:
            message = f"has {len(title)} characters: lists cut it off, {_LONG} at most are read"
        elif len(title.strip()) < _SHORT:
            message = "names nothing: write what it is, its brand and what sets it apart"
        elif len(letters) >= _LETTERS and sum(map(str.isupper, letters)) > _CAPITALS * len(letters):
            message, fix = "shouts: write it in small letters", _calmer(title)
        elif title != " ".join(title.split()):
            message, fix = "has blanks too many", " ".join(title.split())
        if message:
            yield Finding(
                "title",
                "hint",
                (product.id,),
                f'titles["{language}"]',
                message,
                confidence=1.0,
                fix={"title": {language: fix}} if fix else {},
                evidence=title[:_LONG],
            )


def _calmer(title: str) -> str:
    """Small letters but for the first of a word, and words with digits, which are codes."""
    return " ".join(
        word if any(sign.isdigit() for sign in word) else word.capitalize()
        for word in title.split()
    )


def find_odd_prices(products: Sequence[Product]) -> Iterator[Finding]:
    """Yields products whose price is far from those of their category and currency."""
    groups: defaultdict[tuple[object, ...], list[Product]] = defaultdict(list)
    for product in products:
        if product.price.amount > 0:
            groups[(tuple(product.category_path), product.price.currency_code)].append(product)
        elif product.HasField("price"):
            yield Finding(
                "price",
                "error",
                (product.id,),
                "price.amount",
                "is 0: if it is not given away, write what it costs or leave price out",
                confidence=1.0,
            )
    for (path, currency), members in groups.items():
        if len(members) < _FEW or not path:
            continue
        logs = [math.log(product.price.amount) for product in members]
        middle = median(logs)
        spread = _TO_SIGMA * median(abs(value - middle) for value in logs)
        for product, value in zip(members, logs, strict=True):
            far = abs(value - middle) / max(spread, math.log(1.5))
            if far > _FAR:
                usual = math.exp(middle)
                yield Finding(
                    "price",
                    "warning",
                    (product.id,),
                    "price.amount",
                    f"is {product.price.amount:g} {currency}, where the category's middle is "
                    f"{usual:.4g}: look for a wrong unit or a shifted point",
                    confidence=round(1 - 1 / far, 3),
                    evidence=titles(product)[0],
                )
