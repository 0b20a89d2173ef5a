"""What counted in a ranking, causes, and what the knowledge graph ties products by."""

from dataclasses import replace

import pytest

from shared.evaluation.claims import Beside, Record, Seen, check_text
from wherefore.common.v1.product_pb2 import Product


def product(product_id: str, title: str, price: float = 40.0, category: str = "Inks") -> Product:
    made = Product(id=product_id, titles={"en": title}, brand="Brother")
    made.category_path.extend(["Office", category])
    made.price.amount, made.price.currency_code = price, "EUR"
    made.review_summary.average_rating, made.review_summary.rating_count = 4.6, 120
    made.statistics.purchase_count = 80
    return made


INK = product("i1", "Brother toner for DCP-L2530/L3550")
PRINTER = product("p1", "Brother DCP-L2530 printer", 150.0, "Printers")
OTHER = product("p2", "Brother DCP-L8410 printer", 210.0, "Printers")
DEAR = product("p3", "Brother DCP-L3550 printer", 160.0, "Printers")


def causes(text: str, record: Record) -> list[str]:
    return [cause for claim in check_text(text, record).unsupported for cause in claim.causes]


RANKED = Record(INK, "toner", lifts=["rating", "popularity"])


@pytest.mark.parametrize(
    ("text", "lift"),
    [
        ("Its rating counts in its favour here, 4.6 stars from 120 reviews.", "rating"),
        ("评分为它的排序加分，120条评价平均4.6分。", "rating"),
        ("Its sales count in its favour here, 80 sold in the last 30 days.", "popularity"),
        ("销量为它的排序加分，近30天售出80件。", "popularity"),
    ],
)
def test_what_counted_is_held_against_the_contributions(text: str, lift: str) -> None:
    assert causes(text, RANKED) == []
    assert causes(text, replace(RANKED, lifts=[x for x in RANKED.lifts if x != lift]))
    assert causes(text.replace("80", "90").replace("4.6", "4.9"), RANKED)


def test_sales_that_views_outweigh_did_not_count() -> None:
    viewed = Product()
    viewed.CopyFrom(INK)
    viewed.statistics.view_count = 900
    text = "Its sales count in its favour here, 80 sold in the last 30 days."
    assert causes(text, replace(RANKED, product=viewed)) == ["sales counted"]


@pytest.mark.parametrize("text", ["You looked at it 3 days ago.", "您3天前看过它。"])
def test_what_was_looked_at_is_the_very_product(text: str) -> None:
    record = Record(INK, "toner", history=[Seen(INK, bought=False, days_ago=3)])
    assert causes(text, record) == []
    assert "seen before" in causes(text, replace(record, history=[Seen(INK, True, days_ago=3)]))
    assert "seen before" in causes(text, replace(record, history=[Seen(DEAR, False, days_ago=3)]))


@pytest.mark.parametrize(
    "text",
    ["Priced like what you bought or put in your cart.", "价位与您买过或加购的商品相近。"],
)
def test_prices_are_alike_to_those_that_were_paid(text: str) -> None:
    record = Record(DEAR, "printer", history=[Seen(PRINTER, bought=True)])
    assert causes(text, record) == []
    assert causes(text, replace(record, product=INK)) == ["usual price"]
    assert causes(text, replace(record, history=[Seen(PRINTER, bought=False)])) == ["usual price"]


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ('Recommended because you bought "Brother DCP-L2530 printer".', True),
        ('Here because you bought "Brother DCP-L2530 printer"; at €40.', True),
        ('Because you bought "Brother DCP-L2530 printer", at €40.', False),
        ("因您买过“Brother DCP-L2530 printer”而推荐；售价€40。", True),
        ("您买过“Brother DCP-L2530 printer”，所以推荐它，售价€40。", True),
        ("推荐给您是因为您买过“Brother DCP-L2530 printer”。", True),
        ("因为您买过“Brother DCP-L2530 printer”，售价€40。", False),
        ("At €40, since it is in its category.", False),
    ],
)
def test_a_cause_is_of_the_choice(text: str, *, stands: bool) -> None:
    record = Record(INK, "toner", history=[Seen(PRINTER, bought=True)])
    assert (causes(text, record) == []) is stands


@pytest.mark.parametrize(
    "text",
    [
        'Fits your "{}".',
        'Made to fit "{}".',
        'It fits the "{}" you bought.',
        'Your "{}" is what it fits.',
        "适用于您的“{}”。",
        "与“{}”适配。",
        "您的“{}”可以用它。",
    ],
)
def test_a_fit_is_read_from_what_both_say(text: str) -> None:
    for printer, fits in ((PRINTER, True), (DEAR, True), (OTHER, False)):
        record = Record(INK, "toner", history=[Seen(printer, bought=True)])
        found = causes(text.format(printer.titles["en"]), record)
        assert found == ([] if fits else ["title"])


def test_a_fit_of_the_page_and_of_the_product_at_hand() -> None:
    said = 'Fits "Brother DCP-L2530 printer".'
    assert causes(said, Record(INK, page=[INK, PRINTER])) == []
    beside = {PRINTER.titles["en"]: Beside(product=PRINTER)}
    assert causes(said, Record(INK, beside=beside)) == []
    assert causes(said, Record(INK, page=[INK, OTHER])) == ["title"]
    turned = 'What "Brother toner for DCP-L2530/L3550" fits.'
    assert causes(turned, Record(PRINTER, history=[Seen(INK, bought=False)])) == []
    assert causes(turned, Record(OTHER, history=[Seen(INK, bought=False)])) == ["title"]


def test_another_brand_fits_nothing() -> None:
    canon = Product()
    canon.CopyFrom(PRINTER)
    canon.brand = "Canon"
    record = Record(INK, history=[Seen(canon, bought=True)])
    assert causes('Fits your "Brother DCP-L2530 printer".', record) == ["title"]


@pytest.mark.parametrize("text", ['Goes with "{}".', "可与“{}”搭配。"])
def test_what_goes_together_has_kinds(text: str) -> None:
    said = text.format(PRINTER.titles["en"])
    record = Record(INK, history=[Seen(PRINTER, bought=True)])
    assert causes(said, record) == []
    kindless = Product(id="i1", titles={"en": "Thing"})
    assert causes(said, replace(record, product=kindless)) == ["title"]
