"""Orders other than relevance, over the candidates of a query."""

from collections.abc import Callable, Sequence
from typing import Final

from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.candidate_pb2 import Candidate

_Key = Callable[[Product], float | None]


def _price(product: Product) -> float | None:
    return product.price.amount if product.HasField("price") else None


def _rating(product: Product) -> float | None:
    # 0 stands for "no reviews".
    return product.review_summary.average_rating or None


def _release(product: Product) -> float | None:
    if not product.HasField("release_time"):
        return None
    return product.release_time.seconds + product.release_time.nanos * 1e-9


ORDERS: Final[dict[str, tuple[_Key, bool]]] = {
    "price": (_price, False),
    "price desc": (_price, True),
    "rating desc": (_rating, True),
    "release_time desc": (_release, True),
}
"""By name: what is compared, and whether the largest comes first."""


def reorder(candidates: Sequence[Candidate], ranked_ids: Sequence[str], order_by: str) -> list[str]:
    """Returns the ids in an order of ORDERS; equal values keep their rank, missing are last."""
    key, descending = ORDERS[order_by]
    values = {c.product.id: key(c.product) for c in candidates}
    present = [(values[i], i) for i in ranked_ids if values[i] is not None]
    missing = [i for i in ranked_ids if values[i] is None]
    sign = -1.0 if descending else 1.0
    present.sort(key=lambda pair: sign * (pair[0] or 0.0))
    return [i for _, i in present] + missing
