"""Products as the vocabulary and the model learn from them: variants joined, attributes as tags."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import unescape

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.passages import Passage, passages_of
from services.reason.tags.vocabulary import SELLING_POINT, Path, TermId
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class Example:
    """A product and what its shop states of it.

    Attributes:
        id: Of the product that stands for its variants.
        passages: Its texts.
        path: Its category.
        stated: Keys and values of its attributes; a feature that is true is a selling point.
    """

    id: str
    passages: tuple[Passage, ...]
    path: Path
    stated: frozenset[TermId]


def stated_values(product: Product) -> set[TermId]:
    """Returns what the attributes of a product state, in the terms of a vocabulary."""
    found: set[TermId] = set()
    for key, value in product.attributes.items():
        if value.HasField("boolean"):
            if value.boolean:
                found.add((SELLING_POINT, key.replace("_", " ")))
        else:
            found.update((key, " ".join(unescape(text).split())) for text in value.texts if text)
    return found


def examples_of(products: Iterable[Product]) -> list[Example]:
    """Returns one example a group of variants.

    Where a product stands for its variants (its id is the group's), it has their attributes too;
    else the first variant is taken alone, since its texts name its own colour and size.
    """
    groups: dict[str, list[Product]] = defaultdict(list)
    for product in products:
        groups[product.variant_group_id or product.id].append(product)
    found: list[Example] = []
    for group, members in groups.items():
        parent = next((product for product in members if product.id == group), None)
        shown = parent or members[0]
        of = members if parent is not None else members[:1]
        stated = frozenset[TermId]().union(*(stated_values(product) for product in of))
        path = tuple(shown.category_path)
        found.append(Example(shown.id, tuple(passages_of(shown)), path, stated))
    return found


def folds_of(examples: Sequence[Example], count: int, seed: int) -> NDArray[np.int64]:
    """Splits products by chance, those of one description into one fold; returns (products,).

    Shops list sizes and colours as products of their own: one of them would give away another.
    """
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, example in enumerate(examples):
        bodies = [p.body for p in example.passages if p.source.startswith("descriptions.")]
        groups[tuple(bodies) or (example.id,)].append(at)
    folds = np.zeros(len(examples), dtype=np.int64)
    order = np.random.RandomState(seed).permutation(len(groups)) % count
    for fold, members in zip(order, groups.values(), strict=True):
        folds[members] = fold
    return folds
