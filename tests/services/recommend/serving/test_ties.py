"""What the graph holds between products of a page and others, in a small shop of printers."""

import pytest

from services.recommend.serving.found import Evidence, Tie
from services.recommend.serving.snapshot import Snapshot, take
from services.recommend.serving.ties import MAX_TIES, ties_of
from tests.services.recommend.serving.test_graph_legs import LINKS, product, shop


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return take(shop(), LINKS, 7)


def told(found: list[Evidence]) -> list[tuple[Tie, str]]:
    return [(each.tie, each.product_id) for each in found]


def test_a_fit_is_told_of_both_sides_with_the_model(snapshot: Snapshot) -> None:
    (fit,) = ties_of(snapshot, "i1", ["p2", "p1", "i1", "nothing"], set())
    assert (fit.tie, fit.product_id, fit.words) == (Tie.FITS, "p1", "DCP-L2530")
    assert told(ties_of(snapshot, "p1", ["i1"], set())) == [(Tie.FITTED_BY, "i1")]
    assert ties_of(snapshot, "i2", ["p1"], {"p1"}) == []  # it fits another printer


def test_the_kind_counts_of_what_was_bought_alone_and_after_fits(snapshot: Snapshot) -> None:
    assert ties_of(snapshot, "a1", ["p1"], set()) == []
    assert told(ties_of(snapshot, "a1", ["p1"], {"p1"})) == [(Tie.GOES_WITH, "p1")]
    both = ties_of(snapshot, "i1", ["p2", "p1"], {"p1", "p2"})
    assert told(both)[0] == (Tie.FITS, "p1")


def test_unknown_products_and_guesses_tie_nothing(snapshot: Snapshot) -> None:
    assert ties_of(snapshot, "nothing", ["p1"], {"p1"}) == []
    products = [
        product(f"{kind}{n}", f"{kind} {n}", "Home", kind, price=10.0, colour="red", style="oak")
        for kind in ("Tables", "Chairs")
        for n in range(3)
    ]
    guessed = take(products, [], 1)
    assert ties_of(guessed, "Chairs0", ["Tables0"], {"Tables0"}) == []


def test_a_product_is_tied_to_few() -> None:
    many = [
        product(f"q{n}", f"Brother HL-L7{n}0 printer", "Office", "Printers", price=100.0)
        for n in range(9)
    ]
    full = take([*shop(), *many], LINKS, 1)
    owned = {each.id for each in many}
    assert len(ties_of(full, "a1", sorted(owned), owned)) == MAX_TIES
