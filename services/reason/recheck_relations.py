"""Checks of what is claimed of ties to other products and to the user's purchases."""

from collections.abc import Callable
from typing import Final

from services.reason.facts import Fact, Scene
from wherefore.recommend.v1 import relation_pb2 as pb

_SECONDS_A_DAY: Final = 24 * 3600
MIN_ORDERS: Final = 3
"""Of which an interval may be called usual."""
DUE_SHARE: Final = 0.8
"""Of the usual interval, that must have passed."""
_KIND_OF_CODE: Final = {
    "bought_together": pb.RELATION_KIND_BOUGHT_TOGETHER,
    "viewed_together": pb.RELATION_KIND_VIEWED_TOGETHER,
    "fits": pb.RELATION_KIND_FITS,
    "fits_yours": pb.RELATION_KIND_FITS,
    "fitted_by": pb.RELATION_KIND_FITTED_BY,
    "goes_with": pb.RELATION_KIND_GOES_WITH,
    "similar_to": pb.RELATION_KIND_SIMILAR,
    "same_brand": pb.RELATION_KIND_SIMILAR,
    "better_rated": pb.RELATION_KIND_STEP_UP,
    "bought_before": pb.RELATION_KIND_BOUGHT_BEFORE,
    "bought_often": pb.RELATION_KIND_BOUGHT_BEFORE,
    "due_for_reorder": pb.RELATION_KIND_DUE_AGAIN,
}


def _of_kind(fact: Fact, scene: Scene) -> list[pb.Relation]:
    kind = _KIND_OF_CODE[fact.code]
    return [relation for relation in scene.relations if relation.kind == kind]


def _together(fact: Fact, scene: Scene) -> bool:
    customers = int(fact.value)
    return customers > 1 and any(
        relation.customer_count == customers and relation.product_title == fact.meets != ""
        for relation in _of_kind(fact, scene)
    )


def _named(fact: Fact, scene: Scene) -> bool:
    return any(
        relation.product_id == fact.meets
        and relation.product_title == fact.value != ""
        and (relation.owned or fact.code != "fits_yours")
        for relation in _of_kind(fact, scene)
    )


def _brand_of_both(fact: Fact, scene: Scene) -> bool:
    return fact.value == scene.product.brand != "" and any(
        relation.product_title == fact.meets != ""
        and relation.evidence.casefold() == fact.value.casefold()
        for relation in _of_kind(fact, scene)
    )


def _better(fact: Fact, scene: Scene) -> bool:
    own, others = (float(part) for part in fact.value.split(" "))
    # Told with one place, the two must differ as told.
    return (
        own == scene.product.review_summary.average_rating
        and round(own, 1) > round(others, 1)
        and any(
            relation.product_title == fact.meets != "" and float(relation.evidence) == others
            for relation in _of_kind(fact, scene)
            if relation.evidence
        )
    )


def _bought(fact: Fact, scene: Scene) -> bool:
    times, days = (int(part) for part in fact.value.split(" "))
    return (times > 1) == (fact.code == "bought_often") and any(
        relation.purchase_count == times and int(relation.age_seconds / _SECONDS_A_DAY) == days
        for relation in _of_kind(fact, scene)
    )


def _due(fact: Fact, scene: Scene) -> bool:
    """The history is the one told, is long enough to have a usual interval, and that has passed."""
    times, days, interval = (int(part) for part in fact.value.split(" "))
    if times < MIN_ORDERS or interval < 1 or days / interval < DUE_SHARE:
        return False
    return any(
        relation.purchase_count == times
        and int(relation.age_seconds / _SECONDS_A_DAY) == days
        and relation.interval_days == interval
        for relation in _of_kind(fact, scene)
    )


RELATION_RECHECKS: Final[dict[str, Callable[[Fact, Scene], bool]]] = {
    **dict.fromkeys(("bought_together", "viewed_together"), _together),
    **dict.fromkeys(("fits", "fits_yours", "fitted_by", "goes_with", "similar_to"), _named),
    "same_brand": _brand_of_both,
    "better_rated": _better,
    **dict.fromkeys(("bought_before", "bought_often"), _bought),
    "due_for_reorder": _due,
}
"""By code."""
