"""What a product without events is lent by others of its kind."""

from collections.abc import Iterable

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.finder import Strategy, Wanted, find
from services.recommend.serving.found import Tie
from services.recommend.serving.learner import Learner
from services.recommend.serving.same_kind import beside_kind
from services.recommend.serving.snapshot import Snapshot, take
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK, Product


def shop() -> Snapshot:
    products = [
        Product(id=key, titles={"en": key}, category_path=path)
        for key, *path in (
            ("new-tee", "Women", "Tees"),
            ("tee", "Women", "Tees"),
            ("other-tee", "Women", "Tees"),
            ("shorts", "Women", "Shorts"),
            ("sold-out", "Women", "Shorts"),
            ("men-shorts", "Men", "Shorts"),
            ("mat", "Gear", "Mats"),
            ("bottle", "Gear", "Bottles"),
        )
    ]
    products[4].stock.availability = AVAILABILITY_OUT_OF_STOCK
    return take(products, [], 1)


def counted(*baskets: Iterable[str], customers: int = 2) -> CoOccurrence:
    counts = CoOccurrence(Tie.BOUGHT_TOGETHER, 60.0, 50)
    for number, basket in enumerate(baskets):
        for customer in range(customers):
            counts.count(f"u:{number}-{customer}", list(basket), 0.0)
    return counts


def ids(counts: CoOccurrence, product_id: str = "new-tee") -> list[str]:
    return [each.product_id for each in beside_kind(shop(), counts, product_id, 10)]


def test_what_is_chosen_beside_others_of_the_kind_is_lent() -> None:
    counts = counted(("tee", "shorts"), ("other-tee", "shorts"), ("tee", "mat"))
    assert ids(counts) == ["shorts", "mat"]
    assert all(not each.evidence for each in beside_kind(shop(), counts, "new-tee", 10))


def test_what_everybody_has_counts_for_less() -> None:
    counts = counted(("tee", "mat"), ("tee", "bottle"), ("shorts", "bottle"), ("mug", "bottle"))
    assert ids(counts) == ["mat", "bottle"]


def test_one_customer_lends_nothing() -> None:
    assert ids(counted(("tee", "shorts"), customers=1)) == []


def test_its_own_counts_the_sold_out_and_what_is_for_others_are_left_out() -> None:
    counts = counted(
        ("new-tee", "mat"), ("tee", "sold-out"), ("tee", "men-shorts"), ("tee", "gone")
    )
    assert ids(counts) == []
    assert ids(counts, "unknown") == []


def test_also_liked_asks_the_kind_and_then_the_graph() -> None:
    learner = Learner(together_seconds=60.0, history_seconds=1e12)
    wanted = Wanted(Strategy.ALSO_LIKED, "", ("new-tee",), (), 10)
    graph = take(
        [
            Product(id=f"{kind}-{n}", titles={"en": kind}, category_path=["Women", kind])
            for kind in ("Tees", "Shorts")
            for n in range(3)
        ],
        [("Tees-1", "Shorts-0"), ("Tees-2", "Shorts-1"), ("Tees-1", "Shorts-1")],
        1,
    )
    cold = find(Wanted(Strategy.ALSO_LIKED, "", ("Tees-0",), (), 10), learner, graph)
    assert cold[0].product_id == "Shorts-1"
    assert {leg for each in cold for leg in each.places} == {"complement"}
    for customer in ("u:1", "u:2"):
        learner.visits.count(customer, ["tee", "mat"], 0.0)
    (lent,) = find(wanted, learner, shop())
    assert (lent.product_id, list(lent.places)) == ("mat", ["kind_together"])
    assert find(wanted, learner, None) == []
