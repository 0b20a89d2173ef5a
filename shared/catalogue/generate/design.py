"""Designs: what the variants of one product share, and which variants there are."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from shared.catalogue.generate.vocabulary import Category, Feature, Pair, ProductType, Style

# About one design in twelve is one that its buyers regret.
_BAD_SHARE: Final = 0.08
_BAD_QUALITY: Final = -3.4
# The newest have been on sale long enough to have reviews.
_FIRST_DAYS: Final = 40
_MOST_VARIANTS: Final = 4
_VARIANT_WEIGHTS: Final = (3, 4, 3, 2)


class _Look(NamedTuple):
    """What one sees of a design in its title."""

    brand: Pair
    style: Style
    feature: Feature


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
    style: Style
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
    """Yield designs whose variants together are `kind.count` products.

    Raises:
        ValueError: There are too few styles, features and brands for as many different designs.
    """
    rng = Random(f"{seed}/{category.slug}/{kind.name}/{kind.noun.en}")  # noqa: S311
    left = kind.count
    for look in _looks(rng, category, kind):
        if left <= 0:
            return
        design = _design(rng, kind, seed, look, left)
        left -= len(design.variants)
        yield design
    if left > 0:
        raise ValueError(f"{kind.noun.en}: too few styles and features for {kind.count} products")


def _looks(rng: Random, category: Category, kind: ProductType) -> Iterator[_Look]:
    """Yield every combination once, all styles and features before any comes a second time."""
    pairs = list(itertools.product(kind.styles, kind.features))
    brands = list(category.brands)
    rng.shuffle(pairs)
    rng.shuffle(brands)
    for turn in range(len(brands)):
        for index, (style, feature) in enumerate(pairs):
            yield _Look(brands[(index + turn) % len(brands)], style, feature)


def _design(rng: Random, kind: ProductType, seed: int, look: _Look, most: int) -> Design:
    brand, style, feature = look
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
        age_days=min(1500, _FIRST_DAYS + int(rng.expovariate(1 / 320))),
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
