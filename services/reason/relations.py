"""Evidence from what ties a recommended product to others and to the user."""

from collections.abc import Iterator
from typing import Final

from services.reason.facts import Fact, Scene
from services.reason.standing import MIN_SALES
from shared.text.normalise import fold
from wherefore.recommend.v1 import relation_pb2 as pb

MIN_CUSTOMERS: Final = 2
"""Fewer would tell what one person did."""
_DAY: Final = 86_400.0
_TOGETHER: Final = {
    pb.RELATION_KIND_BOUGHT_TOGETHER: ("bought_together", 0.85),
    pb.RELATION_KIND_VIEWED_TOGETHER: ("viewed_together", 0.65),
}


def relation_facts(scene: Scene) -> Iterator[Fact]:
    """Yields what speaks for the product beside other products, and beside what the user bought."""
    for relation in scene.relations:
        if relation.kind == pb.RELATION_KIND_BOUGHT_BEFORE:
            days = int(relation.age_seconds // _DAY)
            times = relation.purchase_count
            code = "bought_often" if times > 1 else "bought_before"
            yield Fact(code, "relations", f"{times} {days}", "", 0.9)
        elif relation.kind == pb.RELATION_KIND_DUE_AGAIN:
            days = int(relation.age_seconds // _DAY)
            value = f"{relation.purchase_count} {days} {relation.interval_days}"
            yield Fact("due_for_reorder", "relations", value, "", 0.97)
        elif relation.kind == pb.RELATION_KIND_POPULAR:
            # Sales always speak for a product, but here they are why it is shown.
            if (sold := scene.product.statistics.purchase_count) >= MIN_SALES:
                yield Fact("popular", "statistics.purchase_count", str(sold), "", 0.75)
        elif relation.product_title and relation.product_title not in scene.product.titles.values():
            yield from _beside(relation, scene)


def _beside(relation: pb.Relation, scene: Scene) -> Iterator[Fact]:
    title, kind = relation.product_title, relation.kind
    if kind in _TOGETHER and relation.customer_count >= MIN_CUSTOMERS:
        code, strength = _TOGETHER[kind]
        yield Fact(code, "relations", str(relation.customer_count), title, strength)
    elif kind == pb.RELATION_KIND_FITS:
        code = "fits_yours" if relation.owned else "fits"
        yield Fact(code, "relations", title, relation.product_id, 0.95)
    elif kind == pb.RELATION_KIND_FITTED_BY:
        yield Fact("fitted_by", "relations", title, relation.product_id, 0.9)
    elif kind == pb.RELATION_KIND_GOES_WITH:
        yield Fact("goes_with", "relations", title, relation.product_id, 0.6)
    elif kind == pb.RELATION_KIND_SIMILAR:
        yield Fact("similar_to", "relations", title, relation.product_id, 0.62)
        if relation.evidence and fold(relation.evidence) == fold(scene.product.brand):
            yield Fact("same_brand", "relations", scene.product.brand, title, 0.63)
    elif kind == pb.RELATION_KIND_STEP_UP and relation.evidence:
        stars = scene.product.review_summary.average_rating
        if stars > float(relation.evidence):
            value = f"{stars!r} {relation.evidence}"
            yield Fact("better_rated", "relations", value, title, 0.8)
