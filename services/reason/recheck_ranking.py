"""Checks of what is claimed to have lifted a product in the ranking."""

from collections.abc import Callable
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.recheck_prices import is_price, priced

_SECONDS_A_DAY: Final = 24 * 3600
_NEAR: Final = 1.25
"""Ratio of two prices up to which they are alike."""


def _lifted(fact: Fact, scene: Scene) -> bool:
    """Whether the feature that a fact names added to the score."""
    prefix, _, feature = fact.source.partition(".")
    return prefix == "ranking" and any(
        each.feature == feature and each.contribution > 0 for each in scene.contributions
    )


def _seen(fact: Fact, scene: Scene) -> bool:
    if fact.source != "ranking.user_recency" or scene.user is None:
        return False
    return _lifted(fact, scene) and any(
        recent.product_id == scene.product.id
        and recent.action in ("view", "click")
        and int(recent.age_seconds / _SECONDS_A_DAY) == int(fact.value) >= 0
        for recent in scene.user.recent_products
    )


def _price(fact: Fact, scene: Scene) -> bool:
    if fact.source != "ranking.price_affinity" or scene.user is None:
        return False
    amount, currency = priced(fact.value)
    usual = float(fact.meets)
    return (
        _lifted(fact, scene)
        and is_price(scene, fact.value)
        and scene.user.typical_prices.get(currency) == usual > 0
        and amount <= _NEAR * usual
        and usual <= _NEAR * amount
        and any(each.action in ("purchase", "cart") for each in scene.user.recent_products)
        and all(each.product_id != scene.product.id for each in scene.user.recent_products)
    )


def _rating(fact: Fact, scene: Scene) -> bool:
    stars, count = fact.value.split(" ")
    summary = scene.product.review_summary
    return (
        fact.source == "ranking.rating"
        and _lifted(fact, scene)
        and float(stars) == summary.average_rating
        and int(count) == summary.rating_count > 0
    )


def _sales(fact: Fact, scene: Scene) -> bool:
    counted = scene.product.statistics
    # Views and carts are part of the feature, and must not be what lifted it.
    return (
        fact.source == "ranking.popularity"
        and _lifted(fact, scene)
        and int(fact.value) == counted.purchase_count
        and 10 * counted.purchase_count > counted.view_count + 3 * counted.cart_count
    )


RANKING_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    "seen_before": _seen,
    "price_like_yours": _price,
    "rating_counted": _rating,
    "sales_counted": _sales,
}
"""By code."""
