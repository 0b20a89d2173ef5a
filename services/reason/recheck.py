"""One check per code: is this fact so? Each reads back what the fact's source holds."""

from collections.abc import Callable
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.recheck_asked import ASKED_RECHECKS
from services.reason.recheck_own import OWN_RECHECKS
from services.reason.recheck_prices import PRICE_RECHECKS
from services.reason.recheck_ranking import RANKING_RECHECKS
from services.reason.recheck_relations import RELATION_RECHECKS
from services.reason.recheck_search import SEARCH_RECHECKS
from services.reason.recheck_shop import SHOP_RECHECKS
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK

RecheckFunction = Callable[[Fact, Scene], bool]
"""Whether a fact is so."""
_DAY: Final = 86_400


def _rating(fact: Fact, scene: Scene) -> bool:
    stars, count = fact.value.split(" ")
    summary = scene.product.review_summary
    return float(stars) == summary.average_rating and int(count) == summary.rating_count > 0


def _praise(fact: Fact, scene: Scene) -> bool:
    part, _, whole = fact.value.partition(" ")
    praise, total = int(part), int(whole)
    aspect = fact.code.removeprefix("praised_")
    if fact.source != f"review_summary.opinions.{aspect}":
        return False
    for opinion in scene.product.review_summary.opinions:
        if opinion.aspect == aspect and opinion.positive_count == praise:
            faults = opinion.negative_count
            if praise + faults == total and praise > faults:
                return True
    return False


def _popular(fact: Fact, scene: Scene) -> bool:
    return int(fact.value) == scene.product.statistics.purchase_count > 0


def _in_stock(fact: Fact, scene: Scene) -> bool:
    available = scene.product.stock.availability == AVAILABILITY_IN_STOCK
    return available and fact.value == "in stock"


def _new(fact: Fact, scene: Scene) -> bool:
    if not scene.product.HasField("release_time"):
        return False
    age = scene.now - scene.product.release_time.seconds
    return age >= 0 and int(fact.value) == int(age // _DAY)


def _history(fact: Fact, scene: Scene) -> bool:
    if scene.user is None or fact.meets not in scene.anchors:
        return False
    bought = fact.code == "because_you_bought"
    return any(
        recent.product_id == fact.meets
        and recent.title == fact.value
        and (recent.action == "purchase") == bought
        for recent in scene.user.recent_products
    )


def _brand_affinity(fact: Fact, scene: Scene) -> bool:
    if scene.user is None or not fact.value or fact.value != scene.product.brand:
        return False
    return scene.user.brand_affinities.get(fact.value.lower(), 0.0) > 0


def _category_affinity(fact: Fact, scene: Scene) -> bool:
    path = list(scene.product.category_path)
    if scene.user is None or not path or fact.value != path[-1] or fact.meets != " > ".join(path):
        return False
    return scene.user.category_affinities.get(fact.meets, 0.0) > 0


RECHECKS: Final[dict[str, RecheckFunction]] = {
    "well_reviewed": _rating,
    "popular": _popular,
    "in_stock": _in_stock,
    "new_arrival": _new,
    "because_you_viewed": _history,
    "because_you_bought": _history,
    "brand_affinity": _brand_affinity,
    "category_affinity": _category_affinity,
    **ASKED_RECHECKS,
    **PRICE_RECHECKS,
    **RELATION_RECHECKS,
    **SEARCH_RECHECKS,
    **RANKING_RECHECKS,
    **OWN_RECHECKS,
    **SHOP_RECHECKS,
    **dict.fromkeys(
        ("praised_value_for_money", "praised_quality", "praised_reputation", "praised_gift"),
        _praise,
    ),
}
"""Checks by code; a code without one cannot be claimed."""
