"""Features from product types: what the product is, against what the query names."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from services.ranking.product_text import ProductText
from services.ranking.query import QueryView
from shared.catalogue.product_types import types_of_titles
from shared.text.analysis import terms


def type_modifier(query: QueryView, texts: Sequence[ProductText]) -> NDArray[np.float64]:
    """1 where the type that the query names only qualifies the product's own, else 0; (products,).

    Who looks for a mouse wants no mouse pad. Products that state no type have theirs read from
    their titles, as far as the candidates together tell types from other words.
    """
    found = np.zeros(len(texts))
    # "gaming" qualifies what is looked for, too: only the name of a thing tells it from its parts.
    if not query.type_heads:
        return found
    for row, kinds in enumerate(_kinds(texts)):
        named = [kind for kind in kinds if not query.type_heads.isdisjoint(kind)]
        found[row] = float(bool(named) and all(kind[-1] not in query.type_heads for kind in named))
    return found


@lru_cache(10_000)
def _terms(kind: str) -> tuple[str, ...]:
    """A catalogue has few types: each is analysed once."""
    return tuple(terms(kind))


def _kinds(texts: Sequence[ProductText]) -> list[Sequence[Sequence[str]]]:
    """Terms of the types of each product, stated or else read from its title."""
    stated = {" ".join(kind) for text in texts for kind in text.types}
    read = types_of_titles(
        {row: text.type_words for row, text in enumerate(texts) if text.type_words is not None},
        stated,
    )
    return [
        text.types or ([_terms(read[row])] if row in read else []) for row, text in enumerate(texts)
    ]
