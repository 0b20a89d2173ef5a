"""Queries that a product answers, written from what is known of it."""

# ruff: noqa: PLR2004 - the shares are the recipe itself.

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Final

from services.nlu.train.english_catalogue import Good
from shared.text.lexicon import LexiconKind, canonical, forms

Piece = tuple[str, str]

_EXTRAS: Final = ("COLOUR", "SIZE", "ATTRIBUTE", "MATERIAL", "AUDIENCE", "OCCASION")
_PER_KIND: Final = 60
"""Products of one kind at most: half of an electronics catalogue is cables and cartridges."""


def goods_queries(goods: Sequence[Good], count: int, random: Random) -> Iterator[list[Piece]]:
    """Yields at most `count` queries, each of another product, of all kinds of things alike."""
    for good in spread(goods, random)[:count]:
        if pieces := fact_query(good, random):
            yield pieces


def spread(goods: Sequence[Good], random: Random) -> list[Good]:
    """Returns products in an order of chance, without the bulk of the commonest kinds."""
    of_kind: dict[str, list[Good]] = defaultdict(list)
    for good in goods:
        if good.kind or good.words("MODEL"):
            of_kind[good.kind].append(good)
    kept = [
        good
        for members in of_kind.values()
        for good in random.sample(members, min(len(members), _PER_KIND))
    ]
    random.shuffle(kept)
    return kept


def fact_query(good: Good, random: Random) -> list[Piece]:
    """Returns a query for a product, or [] where too little is known of it.

    Args:
        good: The product.
        random: Source of chance.

    Returns:
        Pieces, (words, entity type).
    """
    models, brands = good.words("MODEL"), good.words("BRAND")
    brand = [(brands[0], "BRAND")] if brands else []
    kind = [(_reworded(good.kind, random), "PRODUCT_TYPE")] if good.kind else []
    if models and (not kind or random.random() < 0.35):
        way = random.random()
        front = brand if way < 0.65 else []
        return [*front, (models[0], "MODEL"), *(kind if random.random() < 0.5 else [])]
    if not kind:
        return []
    others = [fact for fact in good.facts if fact[1] in _EXTRAS]
    extras = random.sample(others, min(len(others), random.choice((0, 1, 1, 2, 2, 3))))
    front = brand if brand and random.random() < 0.45 else []
    after = [piece for piece in extras if random.random() < 0.3]
    before = [piece for piece in extras if piece not in after]
    # Whoever types words apart puts them in any order.
    if random.random() < 0.12:
        shaken = [*front, *before, *kind, *after]
        random.shuffle(shaken)
        return shaken
    return [*front, *before, *kind, *after]


def _reworded(kind: str, random: Random) -> str:
    words = _synonyms(kind)
    return random.choice(words) if words and random.random() < 0.25 else kind


@lru_cache(maxsize=4096)
def _synonyms(kind: str) -> tuple[str, ...]:
    value = canonical(LexiconKind.PRODUCT_TYPE, kind)
    if not value:
        return ()
    return tuple(form for form in forms(LexiconKind.PRODUCT_TYPE, value) if form.isascii())
