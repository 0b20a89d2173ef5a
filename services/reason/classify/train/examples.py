"""Categorised products, by parts that no product, and no variant of one, is in twice."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.classify.features import Text, texts_of
from services.reason.classify.tree import Path, roll_up
from wherefore.common.v1.product_pb2 import Product

PARTS: Final[Mapping[str, float]] = {
    "train": 0.60,
    "calibration": 0.10,
    "selection": 0.15,
    "test": 0.15,
}
"""Share of each part: weights, temperature, thresholds, figures."""


class TooFewProductsError(ValueError):
    """There is nothing to tell apart."""


@dataclass(frozen=True, slots=True)
class Example:
    """Texts with their category; those of one `group` stay together."""

    group: str
    texts: Sequence[Text]
    category: Path


def examples_of(products: Sequence[Product], least: int) -> list[Example]:
    """Returns the products that have a category, small categories cut back to their parents.

    Args:
        products: Of one shop.
        least: Groups of variants that a category needs.

    Raises:
        TooFewProductsError: Fewer than two categories are left.
    """
    groups: dict[str, list[Product]] = defaultdict(list)
    for product in products:
        if product.category_path:
            groups[product.variant_group_id or product.id].append(product)
    # Variants of one product may stand in several categories; the first one's counts for all.
    names = list(groups)
    paths = roll_up([tuple(groups[name][0].category_path) for name in names], least)
    found = [
        Example(name, texts_of(product), path)
        for name, path in zip(names, paths, strict=True)
        if path
        for product in groups[name]
    ]
    if len({example.category for example in found}) < 2:  # noqa: PLR2004
        raise TooFewProductsError(
            f"{len(groups)} products with a category leave fewer than two categories of "
            f"{least} products"
        )
    return found


def split(
    examples: Sequence[Example], seed: int, parts: Mapping[str, float] = PARTS
) -> dict[str, list[Example]]:
    """Returns the examples by part, each category in about the same shares, groups whole.

    Args:
        examples: All of them.
        seed: Of the shuffle; the same seed gives the same parts.
        parts: Name -> share; the shares add up to 1.
    """
    categories: dict[Path, list[str]] = defaultdict(list)
    for group, category in {example.group: example.category for example in examples}.items():
        categories[category].append(group)
    chance = random.Random(seed)  # noqa: S311 - no secret
    part_of: dict[str, str] = {}
    for category in sorted(categories):
        groups = sorted(categories[category])
        chance.shuffle(groups)
        # The first is for training; where the others begin is drawn, so that small categories
        # do not all leave out the same part.
        offset = chance.random()
        for at, group in enumerate(groups):
            part_of[group] = _part((at + offset) / len(groups) if at else 0.0, parts)
    found: dict[str, list[Example]] = {name: [] for name in parts}
    for example in examples:
        found[part_of[example.group]].append(example)
    return found


def folds(examples: Sequence[Example], count: int, seed: int) -> list[set[str]]:
    """Returns the groups that each fit goes without; those of a category of one go with all."""
    parts = split(examples, seed, {str(at): 1 / count for at in range(count)})
    sizes = Counter({each.group: each.category for each in examples}.values())
    held = [{each.group for each in found if sizes[each.category] > 1} for found in parts.values()]
    return [groups for groups in held if groups]


def _part(place: float, parts: Mapping[str, float]) -> str:
    whole = 0.0
    for name, share in parts.items():
        whole += share
        if place < whole:
            return name
    return next(iter(parts))


def variants(texts: Sequence[Text]) -> list[list[Text]]:
    """Returns the forms that a product may come in: whole, by language, titles alone."""
    forms = [list(texts)]
    languages = sorted({text.language for text in texts})
    if len(languages) > 1:
        forms += [[text for text in texts if text.language == code] for code in languages]
    titles = [text for text in texts if text.field == "titles"]
    if titles and len(titles) < len(texts):
        forms.append(titles)
    return forms
