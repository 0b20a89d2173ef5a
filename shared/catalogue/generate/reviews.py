"""Reviews, ratings and opinions that agree with one another."""

import math
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Final

from shared.catalogue.generate.dates import REFERENCE_DATE
from shared.catalogue.generate.design import Design
from shared.catalogue.generate.review_texts import Language, ReviewWriter
from shared.catalogue.generate.vocabulary import Vocabulary
from wherefore.common.v1.product_pb2 import Product

MOST_SHOWN: Final = 6
"""How many reviews a product shows at most."""
_SHARE_CHINESE: Final = 0.55
_SILENT_RATE: Final = 0.35
_MENTION_RATES: Final = {"value_for_money": 0.18, "quality": 0.3, "reputation": 0.07, "gift": 0.12}
# Reviewers speak of weeks of use, so nobody reviews in the first month.
_USE_DAYS: Final = 30


def add_reviews(
    product: Product, words: Vocabulary, design: Design, rng: Random, rating_count: int
) -> None:
    """Add reviews, and a summary that counts them among the others that are not shown.

    Args:
        product: Gets `reviews`, newest first, and `review_summary`.
        words: What reviewers say.
        design: Its quality, value and brand decide how they like it.
        rng: Source of chance.
        rating_count: Number of all reviews, at least MOST_SHOWN.
    """
    mean = _mean_rating(design, rng)
    shown = rng.randint(2, MOST_SHOWN)
    ages = sorted(rng.randrange(1, design.age_days - _USE_DAYS) for _ in range(shown))
    writer = ReviewWriter(words, design, rng)
    praised: Counter[str] = Counter()
    faulted: Counter[str] = Counter()
    for index, age in enumerate(ages):
        stars = min(5, max(1, round(rng.gauss(mean, 0.75))))
        language: Language = "zh" if rng.random() < _SHARE_CHINESE else "en"
        praise, fault = _aspect(design, rng, praise=True), _aspect(design, rng, praise=False)
        written = writer.write(stars, language, praise, fault)
        praised.update(written.praised)
        faulted.update(written.faulted)
        review = product.reviews.add(
            id=f"r{shown - index}", rating=stars, text=written.text, language_code=language
        )
        moment = REFERENCE_DATE - timedelta(days=age, seconds=rng.randrange(86_400))
        review.create_time.FromDatetime(moment)
    # Equal ages differ by their seconds.
    product.reviews.sort(key=lambda review: -review.create_time.seconds)
    summary = product.review_summary
    summary.average_rating = round(mean, 1)
    summary.rating_count = rating_count
    for aspect, rate in _MENTION_RATES.items():
        if aspect == "gift" and not design.is_gift:
            continue
        mentions = rating_count * rate * rng.uniform(0.6, 1.4)
        share = _share_of_praise(design, aspect)
        positive = max(praised[aspect], round(mentions * share))
        negative = max(faulted[aspect], round(mentions * (1 - share)))
        if positive or negative:
            summary.opinions.add(aspect=aspect, positive_count=positive, negative_count=negative)


def _mean_rating(design: Design, rng: Random) -> float:
    """Return the mean stars, 1.8 to 4.9: mostly quality, a little value for money."""
    mean = 4.4 + 0.42 * design.quality + 0.1 * design.value + rng.gauss(0, 0.08)
    return min(4.9, max(1.8, mean))


def _share_of_praise(design: Design, aspect: str) -> float:
    leaning = {
        "value_for_money": 1.2 + 0.7 * design.quality + 1.0 * design.value,
        "quality": 1.9 + 1.1 * design.quality,
        "reputation": 1.0 + 1.2 * design.reputation + 0.5 * design.quality,
        "gift": 1.8 + 0.9 * design.quality,
    }[aspect]
    return 1 / (1 + math.exp(-leaning))


def _aspect(design: Design, rng: Random, *, praise: bool) -> str:
    """Return an aspect that this design's buyers praise or fault, or "" for none."""
    weights: dict[str, float] = {}
    for aspect in _MENTION_RATES:
        if aspect != "gift" or design.is_gift:
            share = _share_of_praise(design, aspect)
            weights[aspect] = share if praise else 1 - share
    if rng.random() < _SILENT_RATE:
        return ""
    return rng.choices(list(weights), list(weights.values()))[0]
