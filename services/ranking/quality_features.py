"""Features of the product itself and of the user: what neither query nor retrieval knows."""

import math
from dataclasses import dataclass

from shared.category_path import category_text
from wherefore.common.v1.product_pb2 import Availability, Product
from wherefore.common.v1.user_profile_pb2 import UserProfile

PRIOR_RATING = 3.8
"""Stars a product without ratings is taken to have."""
PRIOR_COUNT = 20
"""Ratings that outweigh the prior by half (Bayesian average)."""
MANY_ACTIONS = 10_000
"""Weighted actions in 30 days at which popularity reaches 1."""
CART_WEIGHT, PURCHASE_WEIGHT = 3, 10
"""Views that a cart and a purchase count as."""
FRESH_DAYS = 90
"""Days in which freshness falls to 1/e."""
INTEREST_SECONDS = 3 * 86_400
"""Seconds in which an action's recency falls to 1/e."""

_STOCK = {
    Availability.AVAILABILITY_UNSPECIFIED: 1.0,
    Availability.AVAILABILITY_IN_STOCK: 1.0,
    Availability.AVAILABILITY_PREORDER: 0.5,
    Availability.AVAILABILITY_BACKORDER: 0.5,
    Availability.AVAILABILITY_OUT_OF_STOCK: 0.0,
}


def rating(product: Product) -> float:
    """Bayesian average of the stars, 1 to 5 mapped to 0 to 1."""
    summary = product.review_summary
    count = max(summary.rating_count, 0) if summary.average_rating > 0 else 0
    stars = (PRIOR_RATING * PRIOR_COUNT + summary.average_rating * count) / (PRIOR_COUNT + count)
    return min(max((stars - 1.0) / 4.0, 0.0), 1.0)


def popularity(product: Product) -> float:
    """Logarithm of weighted views, carts and purchases of 30 days, 0 to 1."""
    seen = product.statistics
    actions = (
        seen.view_count + CART_WEIGHT * seen.cart_count + PURCHASE_WEIGHT * seen.purchase_count
    )
    return min(math.log1p(max(actions, 0)) / math.log1p(MANY_ACTIONS), 1.0)


def stock(product: Product) -> float:
    """1 to be had now, 0.5 later, 0 not."""
    return _STOCK.get(product.stock.availability, 1.0)


def freshness(product: Product, now: float) -> float:
    """Exponential decay since the release, 0 to 1; 0 when unknown, 1 when still to come.

    Args:
        product: The product.
        now: Seconds since the epoch.
    """
    if not product.HasField("release_time"):
        return 0.0
    age_days = max(now - product.release_time.seconds, 0.0) / 86_400
    return math.exp(-age_days / FRESH_DAYS)


@dataclass(frozen=True, slots=True)
class UserView:
    """A profile as ranking looks things up in it."""

    brands: dict[str, float]
    categories: dict[str, float]
    typical_prices: dict[str, float]
    touched: dict[str, float]
    """Seconds since the last view, click or cart, by product id."""
    bought: frozenset[str]


def view_user(profile: UserProfile) -> UserView:
    """Reads a profile."""
    touched: dict[str, float] = {}
    for recent in profile.recent_products:
        if recent.action != "purchase":
            age = touched.get(recent.product_id, math.inf)
            touched[recent.product_id] = min(age, recent.age_seconds)
    return UserView(
        brands=dict(profile.brand_affinities),
        categories=dict(profile.category_affinities),
        typical_prices=dict(profile.typical_prices),
        touched=touched,
        bought=frozenset(r.product_id for r in profile.recent_products if r.action == "purchase"),
    )


def brand_affinity(user: UserView, product: Product) -> float:
    """Share of the user's interest that is in the brand, 0 to 1."""
    return user.brands.get(product.brand.lower(), 0.0)


def category_affinity(user: UserView, product: Product) -> float:
    """Share of the user's interest in the category or the nearest one above it, 0 to 1."""
    path = list(product.category_path)
    for depth in range(len(path), 0, -1):
        share = user.categories.get(category_text(path[:depth]))
        if share is not None:
            return share
    return 0.0


def price_affinity(user: UserView, product: Product) -> float:
    """Ratio of the price and the user's usual price, the smaller by the larger; 0 when unknown."""
    usual = user.typical_prices.get(product.price.currency_code, 0.0)
    price = product.price.amount
    if usual <= 0 or price <= 0:
        return 0.0
    return min(price, usual) / max(price, usual)


def user_recency(user: UserView, product: Product) -> float:
    """Exponential decay since the user looked at this very product, 0 to 1."""
    age = user.touched.get(product.id)
    return 0.0 if age is None else math.exp(-max(age, 0.0) / INTEREST_SECONDS)


def already_bought(user: UserView, product: Product) -> float:
    """1 when the user bought this very product of late, else 0."""
    return float(product.id in user.bought)
