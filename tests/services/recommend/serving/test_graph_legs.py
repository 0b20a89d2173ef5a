"""Complements and better ones, from a small shop of printers."""

import time

import pytest

from services.recommend.serving import complements, up_sell
from services.recommend.serving.finder import Strategy, Wanted, find
from services.recommend.serving.found import Found, Tie, add_up, merge
from services.recommend.serving.learner import Learner
from services.recommend.serving.snapshot import Snapshot, take
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK, Product


def product(
    product_id: str, title: str, *path: str, price: float, stars: float = 0.0, **attributes: str
) -> Product:
    made = Product(id=product_id, titles={"en": title}, brand="Brother", category_path=path)
    made.price.amount, made.price.currency_code = price, "EUR"
    if stars:
        made.review_summary.average_rating, made.review_summary.rating_count = stars, 50
    for key, text in attributes.items():
        made.attributes[key].texts.append(text)
    return made


def shop() -> list[Product]:
    printers, inks, paper = ("Office", "Printers"), ("Office", "Inks"), ("Office", "Paper")
    sold_out = product("p5", "Brother DCP-L9990 printer", *printers, price=210.0, stars=5.0)
    sold_out.stock.availability = AVAILABILITY_OUT_OF_STOCK
    return [
        product("p1", "Brother DCP-L2530 printer", *printers, price=150.0, stars=4.0, tray="A4"),
        product("p2", "Brother DCP-L3550 printer", *printers, price=220.0, stars=4.6, tray="A4"),
        product("p3", "Brother DCP-L8410 printer", *printers, price=900.0, stars=4.8, tray="A4"),
        product("p4", "Brother DCP-L1000 printer", *printers, price=180.0, stars=2.0, tray="A3"),
        sold_out,
        product("i1", "Brother toner for DCP-L2530", *inks, price=40.0, stars=4.1),
        product("i2", "Brother toner for DCP-L3550", *inks, price=45.0, stars=4.9),
        product("a1", "Paper A4, 500 sheets", *paper, price=6.0, stars=4.5),
        product("a2", "Paper A3, 500 sheets", *paper, price=9.0, stars=4.4),
    ]


LINKS = [("p1", "a1"), ("p2", "a1"), ("p2", "a2"), ("a1", "p1")]


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return take(shop(), LINKS, 7)


def test_what_fits_comes_first_and_names_the_model(snapshot: Snapshot) -> None:
    found = complements.beside(snapshot, "p1", 10)
    assert found[0].product_id == "i1"
    (evidence,) = found[0].evidence
    assert (evidence.tie, evidence.product_id, evidence.words) == (Tie.FITS, "p1", "DCP-L2530")
    assert "i2" not in {each.product_id for each in found}  # it is known to fit another printer


def test_what_goes_with_it_was_learnt_from_baskets(snapshot: Snapshot) -> None:
    found = {each.product_id: each for each in complements.beside(snapshot, "p1", 10)}
    assert {"a1", "a2"} <= found.keys()
    assert found["a1"].evidence[0].tie is Tie.GOES_WITH
    assert found["a1"].score < found["i1"].score


def test_an_accessory_knows_its_device(snapshot: Snapshot) -> None:
    first = complements.beside(snapshot, "i1", 10)[0]
    assert (first.product_id, first.evidence[0].tie) == ("p1", Tie.FITTED_BY)


def test_fits_of_others_of_its_kind_are_not_told() -> None:
    """A kit that names no model is offered with any printer, and not said to go with it."""
    plain = product("i3", "Brother cleaning kit", "Office", "Inks", price=30.0)
    found = {
        each.product_id: each
        for each in complements.beside(take([*shop(), plain], [], 1), "p1", 10)
    }
    assert found["i1"].evidence[0].tie is Tie.FITS
    assert not found["i3"].evidence


def test_guesses_from_attributes_are_not_told() -> None:
    products = [
        product(f"{kind}{n}", f"{kind} {n}", "Home", kind, price=10.0, colour="red", style="oak")
        for kind in ("Tables", "Chairs")
        for n in range(3)
    ]
    found = complements.beside(take(products, [], 1), "Tables0", 10)
    assert {each.product_id for each in found} == {"Chairs0", "Chairs1", "Chairs2"}
    assert all(not each.evidence for each in found)


def test_better_ones_are_dearer_within_reach_and_not_rated_worse(snapshot: Snapshot) -> None:
    (found,) = up_sell.above(snapshot, "p1", 10)
    assert found.product_id == "p2"
    (evidence,) = found.evidence
    assert (evidence.tie, evidence.product_id, evidence.words) == (Tie.STEP_UP, "p1", "4.0")


def test_a_handful_of_ratings_bars_nothing() -> None:
    products = shop()[:4]
    products[3].review_summary.rating_count = 4  # of 50 it would be too few stars
    found = up_sell.above(take(products, [], 1), "p1", 10)
    assert {each.product_id for each in found} == {"p2", "p4"}
    assert all(each.evidence[0].words == "" for each in found if each.product_id == "p4")


def test_what_baskets_hold_comes_first_of_a_category() -> None:
    paper = ("Office", "Paper")
    products = [
        *shop()[:4],
        product("liked", "Paper A4, 200 sheets", *paper, price=6.0, stars=3.9),
        product("better", "Paper A4, 250 sheets", *paper, price=6.0, stars=4.6),
    ]
    every = [("p2", "liked"), ("p3", "liked"), ("p3", "better")]
    assert [each.product_id for each in complements.beside(take(products, every, 1), "p1", 9)] == [
        "liked",
        "better",
    ]
    evenly = [("p2", "liked"), ("p3", "better")]
    assert [each.product_id for each in complements.beside(take(products, evenly, 1), "p1", 9)] == [
        "better",
        "liked",
    ]


def test_there_is_nothing_above_the_dearest(snapshot: Snapshot) -> None:
    assert up_sell.above(snapshot, "p3", 10) == []
    assert (
        up_sell.above(snapshot, "unknown", 10) == complements.beside(snapshot, "unknown", 9) == []
    )


def test_scores_of_several_seeds_add_up() -> None:
    found = add_up([Found("a", 1.0), Found("b", 1.5), Found("a", 1.0)])
    assert [(each.product_id, each.score) for each in found] == [("a", 2.0), ("b", 1.5)]


def test_legs_are_merged_by_rank_and_one_alone_by_score() -> None:
    bought, viewed = [Found("a", 9.0), Found("b", 1.0)], [Found("b", 3.0), Found("c", 2.0)]
    weights = {"bought": 2.0, "viewed": 1.0}
    both = merge({"bought": bought, "viewed": viewed}, weights)
    assert [each.product_id for each in both] == ["b", "a", "c"]
    assert both[0].places == {"bought": (2, 1.0), "viewed": (1, 3.0)}
    assert [each.score for each in merge({"bought": bought}, weights)] == [9.0, 1.0]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_seeds_and_excluded_products_are_never_found(
    snapshot: Snapshot, strategy: Strategy
) -> None:
    learner = Learner(together_seconds=1e5, history_seconds=1e12)
    for actor in ("u:1", "u:2"):
        learner.baskets.count(actor, ["p1", "i1", "a1"], 0.0)
        learner.visits.count(actor, ["p1", "p2", "p4"], 0.0)
        learner.purchases.count(actor, ["i1", "a1"], 0.0)
        for days_ago in (91, 61, 31):
            at = time.time() - days_ago * 86_400.0
            learner.reorders.count(actor, "", ["p1", "i1", "a1"], at)

    coming = [Found(i, 1.0 / n) for n, i in enumerate(("p1", "i1", "a1"), 1)]

    def found(excluded: frozenset[str], limit: int = 10) -> list[str]:
        wanted = Wanted(strategy, "u:1", ("p1",), excluded, limit)
        return [each.product_id for each in find(wanted, learner, snapshot, coming)]

    first = found(frozenset())
    assert first
    assert "p1" not in first
    # Ranks move up where one is left out, so what several legs found may change places.
    assert set(found(frozenset(first[:1]))) == set(first[1:])
    assert found(frozenset(), 1) == first[:1]
    without = find(Wanted(strategy, "u:1", ("p1",), frozenset(), 10), learner, None, coming)
    assert bool(without) is not strategy.needs_catalogue
