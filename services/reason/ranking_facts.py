"""Evidence from the ranking: what lifted the product, where that means something to a shopper.

A contribution is what a feature added to the score against the mean candidate. Most features say
what other evidence says better (words, brand, price); told here are those of which the product's
own fields tell nothing of the place: that the user looked at it, pays such prices, and that ratings
or sales counted for it.
"""

from collections.abc import Iterator
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.standing import MIN_STARS
from wherefore.common.v1.user_profile_pb2 import UserProfile

UNTAUGHT: Final = frozenset(
    {
        "due_for_reorder",
        "picture_match",
        "price_like_yours",
        "rating_counted",
        "running_low",
        "sales_counted",
    }
)
"""Codes that the language model has not learnt to say. A reason can do without them, or else a
template tells it."""
LOOKED: Final = frozenset({"view", "click"})
"""Actions that are called looking at a product."""
PAID: Final = frozenset({"purchase", "cart"})
"""Actions that say what a user pays."""
NEAR_PRICE: Final = 0.8
"""Share of the dearer of two prices that the other must reach to be called like it."""
MAX_DAYS: Final = 60
"""Days after which it is no reason any more that the user looked at it."""
SALES_WEIGHT, CART_WEIGHT = 10, 3
"""Views that a purchase and a cart count as in ranking's popularity (docs/ranking.md)."""
_DAY: Final = 86_400


def ranking_facts(scene: Scene) -> Iterator[Fact]:
    """Yields what of the contributions speaks for the product in words."""
    lifts = {each.feature: each.contribution for each in scene.contributions}
    if scene.user is not None:
        if lifts.get("user_recency", 0.0) > 0.0:
            yield from _seen(scene, scene.user)
        if lifts.get("price_affinity", 0.0) > 0.0:
            yield from _priced(scene, scene.user)
    summary, statistics = scene.product.review_summary, scene.product.statistics
    good = summary.rating_count > 0 and summary.average_rating >= MIN_STARS
    if (added := lifts.get("rating", 0.0)) > 0.0 and good:
        value = f"{summary.average_rating!r} {summary.rating_count}"
        yield Fact("rating_counted", "ranking.rating", value, "", _strength(added))
    sold = statistics.purchase_count
    others = statistics.view_count + CART_WEIGHT * statistics.cart_count
    if (added := lifts.get("popularity", 0.0)) > 0.0 and SALES_WEIGHT * sold > others:
        yield Fact("sales_counted", "ranking.popularity", str(sold), "", _strength(added))


def _strength(added: float) -> float:
    """More than being in stock says, less than reviews and sales that are good in themselves."""
    return 0.15 + min(max(added, 0.0), 0.15)


def _seen(scene: Scene, user: UserProfile) -> Iterator[Fact]:
    for recent in user.recent_products:
        days = int(recent.age_seconds // _DAY)
        if recent.product_id == scene.product.id and recent.action in LOOKED and days <= MAX_DAYS:
            yield Fact("seen_before", "ranking.user_recency", str(days), "", 0.6)
            return


def _priced(scene: Scene, user: UserProfile) -> Iterator[Fact]:
    price = scene.product.price
    usual = user.typical_prices.get(price.currency_code, 0.0)
    known = {each.product_id: each.action for each in user.recent_products}
    if scene.product.id in known or PAID.isdisjoint(known.values()):
        return
    if min(price.amount, usual) > 0.0 and min(price.amount, usual) >= NEAR_PRICE * max(
        price.amount, usual
    ):
        value = f"{price.amount!r} {price.currency_code}"
        yield Fact("price_like_yours", "ranking.price_affinity", value, repr(usual), 0.35)
