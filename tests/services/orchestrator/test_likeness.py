"""What is shown of products that are alike, and what is told of the one that they are like."""

from services.orchestrator.likeness import distinct, likeness
from wherefore.common.v1.product_pb2 import AVAILABILITY_OUT_OF_STOCK, Product
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_SIMILAR
from wherefore.retrieval.v1.candidate_pb2 import Candidate


def candidate(product_id: str, group: str = "", brand: str = "", sold_out: bool = False):
    product = Product(id=product_id, variant_group_id=group, brand=brand)
    if sold_out:
        product.stock.availability = AVAILABILITY_OUT_OF_STOCK
    return Candidate(product=product)


def test_one_of_a_group_stays_and_it_can_be_bought():
    found = [
        candidate("a", "g", sold_out=True),
        candidate("b", "g"),
        candidate("c", "g"),
        candidate("d"),
        candidate("e"),
        candidate("f", "hidden"),
    ]
    kept = [each.product.id for each in distinct(found, {"hidden", ""})]
    assert kept == ["a", "b", "d", "e"]  # sold-out ones are dropped by who knows of pins


def test_the_brand_is_told_when_both_are_from_it():
    seed = Product(id="s", titles={"en": "Kettle", "zh": "水壶"}, brand="Acme")
    found = [candidate("a", brand="ACME"), candidate("b", brand="Other"), candidate("c")]
    for each in found:
        each.product.titles["en"] = "Steel kettle"
    told = likeness(found, {"a": "s", "b": "s", "c": "gone"}, {"s": seed}, "zh")
    assert told.keys() == {"a", "b"}
    (first,), (second,) = told["a"], told["b"]
    assert (first.kind, first.product_id, first.product_title, first.evidence) == (
        RELATION_KIND_SIMILAR, "s", "水壶", "Acme",
    )  # fmt: skip
    assert second.evidence == ""


def test_a_keyboard_is_not_similar_to_a_laptop():
    seed = Product(id="s", titles={"en": "Laptop"}, category_path=["Computers", "Laptops"])
    paths = (["Computers", "Keyboards"], ["Computers", "Laptops"], [])
    found = [Candidate(product=Product(id=str(n), category_path=p)) for n, p in enumerate(paths)]
    told = likeness(found, dict.fromkeys("012", "s"), {"s": seed}, "en")
    assert told.keys() == {"1"}


def test_without_categories_a_word_of_both_titles_shows_what_is_alike():
    seed = Product(id="s", titles={"en": "Acme kettle 2 L"}, brand="Acme")
    titles = ("Acme toaster 2 L", "Steel Kettle", "kettlebell", "2 L")
    found = [
        Candidate(product=Product(id=str(n), titles={"en": title}, brand="Acme"))
        for n, title in enumerate(titles)
    ]
    assert likeness(found, dict.fromkeys("0123", "s"), {"s": seed}, "en").keys() == {"1"}


def test_a_product_without_title_or_brand_ties_nothing_falsely():
    assert likeness([candidate("a")], {"a": "s"}, {"s": Product(id="s")}, "en") == {}
    untold = likeness(
        [Candidate(product=Product(id="a", titles={"en": "Tea"}))],
        {"a": "s"},
        {"s": Product(id="s", titles={"en": "Tea"})},
        "",
    )
    assert untold["a"][0].evidence == ""
