"""Turns designs into products."""

import math
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Final

from shared.catalogue.generate.dates import REFERENCE_DATE
from shared.catalogue.generate.design import Design, Variant, designs
from shared.catalogue.generate.prices import draw_discount, price
from shared.catalogue.generate.reviews import MOST_SHOWN, add_reviews
from shared.catalogue.generate.texts import description, title
from shared.catalogue.generate.vocabulary import Category, Vocabulary, read_vocabulary
from shared.catalogue.slugs import image_uri
from wherefore.common.v1.product_pb2 import (
    AVAILABILITY_BACKORDER,
    AVAILABILITY_IN_STOCK,
    AVAILABILITY_OUT_OF_STOCK,
    Product,
)

DEFAULT_SEED: Final = 7
_NEW_DAYS: Final = 60
_BEST_SELLER_PURCHASES: Final = 400
_MEDIAN_VIEWS: Final = 500
_AVAILABILITIES: Final = (AVAILABILITY_IN_STOCK, AVAILABILITY_OUT_OF_STOCK, AVAILABILITY_BACKORDER)
_AVAILABILITY_WEIGHTS: Final = (92, 6, 2)


def planned_count(words: Vocabulary) -> int:
    """Return how many products `generate_products` yields."""
    return sum(kind.count for category in words.categories for kind in category.types)


def generate_products(
    words: Vocabulary | None = None, seed: int = DEFAULT_SEED
) -> Iterator[Product]:
    """Yield the catalogue's products, category by category.

    Args:
        words: Vocabulary; the package's own when None.
        seed: Decides all that is left to chance.
    """
    words = words or read_vocabulary()
    for category in words.categories:
        number = 0
        for kind in category.types:
            for design in designs(category, kind, seed):
                first = number + 1
                number += len(design.variants)
                rng = Random(f"{seed}/{category.slug}/{first}")  # noqa: S311
                yield from _products(words, category, design, first, rng)


def _products(
    words: Vocabulary, category: Category, design: Design, first: int, rng: Random
) -> Iterator[Product]:
    is_reduced, discount = draw_discount(rng)
    gift = rng.choice(words.gift_sentences[design.kind.gift_words])
    for offset, variant in enumerate(design.variants):
        titles = title(words, design, variant)
        texts = description(words, design, variant, gift if design.is_gift else None)
        product = Product(
            id=f"{category.slug}-{first + offset:04d}",
            titles=titles._asdict(),
            descriptions=texts._asdict(),
            brand=design.brand.en,
            category_path=design.kind.path,
            price=price(words, design, variant, is_reduced, discount),
            language_code="en",
        )
        if len(design.variants) > 1:
            product.variant_group_id = f"{category.slug}-g{first:04d}"
        product.images.add(uri=image_uri(category.slug))
        released = REFERENCE_DATE - timedelta(days=design.age_days)
        product.release_time.FromDatetime(released)
        _set_attributes(product, design, variant)
        rating_count = _set_statistics(product, design, rng)
        _set_stock(product, rng)
        add_reviews(product, words, design, rng, rating_count)
        product.tags.extend(_tags(product, design))
        yield product


def _set_attributes(product: Product, design: Design, variant: Variant) -> None:
    kind, attributes = design.kind, product.attributes
    texts = {
        "product_type": (kind.name,),
        "colour": (variant.colour,),
        "material": (design.material,),
        "audience": (kind.audience,),
        "size": kind.sizes,
        "model": (design.model,),
    }
    for key, values in texts.items():
        if any(values):
            attributes[key].texts.extend(values)
    for key, number in variant.numbers.items():
        attributes[key].numbers.append(number)
        attributes[key].unit = kind.numbers[key].unit
    flags = dict(kind.flags) | {feature.flag: True for feature in design.features if feature.flag}
    for key, flag in flags.items():
        attributes[key].boolean = flag


def _set_statistics(product: Product, design: Design, rng: Random) -> int:
    """Set the counts of the last 30 days; return the number of reviews since the release."""
    views = int(_MEDIAN_VIEWS * math.exp(design.appeal + rng.gauss(0, 0.4)))
    carts = int(views * rng.uniform(0.04, 0.14))
    purchases = int(carts * rng.uniform(0.3, 0.6) / (1 + math.exp(-1.5 - design.quality)))
    product.statistics.view_count = views
    product.statistics.cart_count = carts
    product.statistics.purchase_count = purchases
    months = min(12, design.age_days / 30)
    return MOST_SHOWN + int(purchases * months * rng.uniform(0.1, 0.3))


def _set_stock(product: Product, rng: Random) -> None:
    product.stock.availability = rng.choices(_AVAILABILITIES, _AVAILABILITY_WEIGHTS)[0]
    sold_out = product.stock.availability != AVAILABILITY_IN_STOCK
    product.stock.quantity = 0 if sold_out else 1 + int(rng.expovariate(1 / 120))


def _tags(product: Product, design: Design) -> Iterator[str]:
    yield from design.kind.tags
    if design.is_gift:
        yield "gift"
    if design.age_days <= _NEW_DAYS:
        yield "new-arrival"
    if product.statistics.purchase_count >= _BEST_SELLER_PURCHASES:
        yield "bestseller"
    if product.price.list_amount:
        yield "sale"
