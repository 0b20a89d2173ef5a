"""Evidence that needs no query: page prices, reviews, sales, stock, the user's history."""

from collections.abc import Iterator
from functools import lru_cache
from statistics import median
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.values import kind_word
from shared.category_path import category_text
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK

MIN_COMPARED: Final = 3
"""Prices of one currency a page must hold before they are compared."""
BELOW_MEDIAN: Final = 0.8
"""Share of the median price at or under which a price is called below it."""
MIN_DISCOUNT_PERCENT: Final = 5
MIN_STARS, MIN_RATINGS = 4.0, 5
MIN_PRAISE, PRAISE_RATIO = 3, 3
"""Reviews that must praise an aspect, and how many times those that fault it."""
MIN_SALES: Final = 10
NEW_DAYS: Final = 60
MIN_AFFINITY: Final = 0.2
MIN_IN_CATEGORY, MIN_DEARER = 10, 0.6
"""Other products of the category that a price is compared with, and the share that costs more."""
ASPECTS: Final = ("value_for_money", "quality", "reputation", "gift")


def standing_facts(scene: Scene, language: str = "") -> Iterator[Fact]:
    """Yields what speaks for the product whatever was asked.

    Args:
        scene: The product with what is known.
        language: Of the reason, to leave out what has no name in it; all when empty.
    """
    yield from _history_facts(scene, language)
    yield from _price_facts(scene)
    yield from _category_price_facts(scene)
    yield from _review_facts(scene)
    product = scene.product
    if product.statistics.purchase_count >= MIN_SALES:
        count = str(product.statistics.purchase_count)
        yield Fact("popular", "statistics.purchase_count", count, "", 0.45)
    if product.stock.availability == AVAILABILITY_IN_STOCK:
        yield Fact("in_stock", "stock.availability", "in stock", "", 0.1)
    if product.HasField("release_time"):
        days = int((scene.now - product.release_time.seconds) // 86_400)
        if 0 <= days <= NEW_DAYS:
            yield Fact("new_arrival", "release_time", str(days), "", 0.3)


def _price_facts(scene: Scene) -> Iterator[Fact]:
    price = scene.product.price
    if not scene.product.HasField("price") or price.amount <= 0:
        return
    value = f"{price.amount!r} {price.currency_code}"
    others = scene.page.by_currency.get(price.currency_code, ())
    if len(others) >= MIN_COMPARED:
        if price.amount == others[0] < others[1]:
            yield Fact("lowest_price_on_page", "page", value, str(len(others)), 0.5)
        elif price.amount <= BELOW_MEDIAN * (middle := _middle(others)):
            percent = int(100 * (1 - price.amount / middle) + 1e-9)
            yield Fact("below_median_price", "page", f"{percent}% {value}", str(len(others)), 0.4)
    if price.list_amount > price.amount:
        percent = int(100 * (1 - price.amount / price.list_amount) + 1e-9)
        if percent >= MIN_DISCOUNT_PERCENT:
            yield Fact("discount", "price.list_amount", f"{percent}%", "", 0.45)


@lru_cache(maxsize=16)
def _middle(prices: tuple[float, ...]) -> float:
    """The median, asked for by each product of a page."""
    return median(prices)


def _category_price_facts(scene: Scene) -> Iterator[Fact]:
    found, price = scene.price_standing, scene.product.price
    if found is None or found.compared_count < MIN_IN_CATEGORY or price.amount <= 0:
        return
    share = found.dearer_count / found.compared_count
    if share >= MIN_DEARER and found.currency_code == price.currency_code:
        value = f"{found.dearer_count} {found.compared_count}"
        strength = 0.3 + 0.15 * share
        yield Fact("price_in_category", "category_path", value, found.category, strength)


def _review_facts(scene: Scene) -> Iterator[Fact]:
    summary = scene.product.review_summary
    if summary.average_rating >= MIN_STARS and summary.rating_count >= MIN_RATINGS:
        value = f"{summary.average_rating!r} {summary.rating_count}"
        strength = 0.4 + 0.2 * min(summary.rating_count / 200, 1.0)
        yield Fact("well_reviewed", "review_summary.average_rating", value, "", strength)
    for opinion in summary.opinions:
        if (praise := opinion.positive_count) < MIN_PRAISE:
            continue
        fault, aspect = opinion.negative_count, opinion.aspect
        if praise >= PRAISE_RATIO * fault and aspect in ASPECTS:
            source = f"review_summary.opinions.{aspect}"
            yield Fact(f"praised_{aspect}", source, f"{praise} {praise + fault}", "", 0.5)


def _history_facts(scene: Scene, language: str) -> Iterator[Fact]:
    if scene.user is None:
        return
    for recent in scene.user.recent_products:
        if recent.product_id in scene.anchors and recent.title:
            bought = recent.action == "purchase"
            code = "because_you_bought" if bought else "because_you_viewed"
            yield Fact(code, "profile", recent.title, recent.product_id, 0.8 if bought else 0.7)
            break
    product = scene.product
    share = scene.user.brand_affinities.get(product.brand.lower(), 0.0)
    if product.brand and share >= MIN_AFFINITY:
        yield Fact("brand_affinity", "profile", product.brand, "", 0.35 + 0.2 * min(share, 1.0))
    path = category_text(product.category_path)
    share = scene.user.category_affinities.get(path, 0.0) if path else 0.0
    if share >= MIN_AFFINITY and (not language or kind_word(product.category_path[-1], language)):
        leaf = product.category_path[-1]
        yield Fact("category_affinity", "profile", leaf, path, 0.3 + 0.2 * min(share, 1.0))
