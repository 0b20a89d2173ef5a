"""Designs: what the variants of one product share, and which variants there are."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from shared.catalogue.generate.vocabulary import Category, Feature, Pair, ProductType

# About one design in twelve is one that its buyers regret.
_BAD_SHARE: Final = 0.08
_BAD_QUALITY: Final = -3.4
_MOST_VARIANTS: Final = 4
_VARIANT_WEIGHTS: Final = (3, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class Variant:
    """What tells one variant from the next."""

    colour: str
    numbers: dict[str, float]


@dataclass(frozen=True, slots=True)
class Design:
    """One product as its maker sees it.

    Attributes:
        quality: Latent quality, about standard normal; ratings, opinions and sales follow from it.
        reputation: The same for its brand.
        price: Middle price of its variants, CNY.
        value: How cheap it is for its kind, in standard deviations of the log price.
        appeal: Natural logarithm of how much more it is looked at than its like.
        age_days: Days on sale.
    """

    kind: ProductType
    brand: Pair
    model: str
    style: Pair
    features: tuple[Feature, Feature]
    intro: Pair
    material: str
    is_gift: bool
    variants: tuple[Variant, ...]
    quality: float
    reputation: float
    price: float
    value: float
    appeal: float
    age_days: int


def designs(category: Category, kind: ProductType, seed: int) -> Iterator[Design]:
    """Yield designs whose variants together are `kind.count` products."""
    rng = Random(f"{seed}/{category.slug}/{kind.name}/{kind.noun.en}")  # noqa: S311
    looks = list(itertools.product(kind.styles, kind.features))
    rng.shuffle(looks)
    brands = list(category.brands)
    left = kind.count
    for turn in itertools.count():
        if left <= 0:
            return
        style, feature = looks[turn % len(looks)]
        if turn % len(brands) == 0:
            rng.shuffle(brands)
        design = _design(rng, kind, seed, brands[turn % len(brands)], style, feature, left)
        left -= len(design.variants)
        yield design


def _design(
    rng: Random,
    kind: ProductType,
    seed: int,
    brand: Pair,
    style: Pair,
    feature: Feature,
    most: int,
) -> Design:
    maker = Random(f"{seed}/brand/{brand.en}")  # noqa: S311
    tier, reputation = maker.gauss(0, 0.18), maker.gauss(0.3, 0.8)
    bad = rng.random() < _BAD_SHARE
    quality = rng.gauss(_BAD_QUALITY, 0.5) if bad else rng.gauss(0.2 * reputation, 0.8)
    deviation = rng.gauss(0, 1)
    others = [other for other in kind.features if other != feature]
    return Design(
        kind=kind,
        brand=brand,
        model=f"{rng.choice(kind.model)}{rng.randrange(11, 99) * 10}" if kind.model else "",
        style=style,
        features=(feature, rng.choice(others)),
        intro=rng.choice(kind.intros),
        material=rng.choice(kind.materials) if kind.materials else "",
        is_gift=rng.random() < kind.gift,
        variants=_variants(rng, kind, most),
        quality=quality,
        reputation=reputation,
        price=kind.price * math.exp(tier + kind.spread * deviation),
        value=-deviation,
        appeal=rng.gauss(0, 1.1) + 0.35 * quality,
        age_days=min(1500, 10 + int(rng.expovariate(1 / 320))),
    )


def _variants(rng: Random, kind: ProductType, most: int) -> tuple[Variant, ...]:
    fixed = {
        key: rng.choice(measure.values) for key, measure in kind.numbers.items() if key != kind.vary
    }
    steps = kind.numbers[kind.vary].values if kind.vary else (None,)
    options = list(itertools.product(kind.colours or ("",), steps))
    wanted = rng.choices(range(1, _MOST_VARIANTS + 1), _VARIANT_WEIGHTS)[0]
    chosen = rng.sample(options, min(wanted, most, len(options)))
    chosen.sort(key=options.index)
    return tuple(
        Variant(colour, fixed if step is None else {**fixed, kind.vary: step})
        for colour, step in chosen
    )
