"""The independent checker finds what the records do not support, and lets true sentences be."""

import pytest

from shared.evaluation.claims import Beside, Record, Seen, check_text
from wherefore.common.v1.product_pb2 import Availability, Product

DAY = 86_400
NOW = 1_800_000_000.0


def product(identity: str = "p1", amount: float = 45.5, **values: str) -> Product:
    made = Product(
        id=identity, brand=values.get("brand", "Acme"), category_path=["Kitchen", "Kettles"]
    )
    made.titles["en"] = values.get("en", "Acme steel kettle 1.7 L, cordless")
    made.titles["zh"] = values.get("zh", "雅米 不锈钢电热水壶 1.7升")
    made.descriptions["en"] = "Boils quietly. Not dishwasher safe."
    made.attributes["colour"].texts.append(values.get("colour", "Black"))
    made.attributes["material"].texts.append("Stainless steel")
    made.price.amount, made.price.currency_code = amount, "EUR"
    made.price.list_amount = 65.0
    made.stock.availability = Availability.AVAILABILITY_IN_STOCK
    made.review_summary.average_rating = 4.62
    made.review_summary.rating_count = 1_280
    made.review_summary.opinions.add(aspect="quality", positive_count=18, negative_count=3)
    made.statistics.purchase_count = 320
    made.release_time.FromSeconds(int(NOW) - 12 * DAY)
    return made


def record(query: str = "black kettle under 50 euros, not white") -> Record:
    own = product()
    page = [own, product("p2", 60.0), product("p3", 80.0), product("p4", 100.0)]
    filter_jug = product("p9", 20.0, en="Brita filter jug", zh="碧然德滤水壶")
    return Record(
        product=own,
        query=query,
        page=page,
        history=[Seen(filter_jug, bought=True, days_ago=40)],
        beside=dict.fromkeys(
            ("Brita filter jug", "碧然德特大号家用厨房多功能自来水净化过滤水壶"),
            Beside(customers=12, rating=4.1),
        ),
        now=NOW,
    )


@pytest.mark.parametrize(
    "text",
    [
        "Black, as you asked; €45.50, within your limit of €50; rated 4.6 from 1,280 reviews.",
        "A black Acme kettle in stainless steel, priced at €45.50.",
        "Black, not white; 30% off its list price; in stock now.",
        "The lowest price of 4 here at €45.50.",
        "At €45.50, 35% below the middle price of 4 here.",
        "18 of 21 reviews on it praise the quality.",
        "Bought 320 times in 30 days; released 12 days ago.",
        'Recommended because you bought "Brita filter jug"; 12 customers bought it together with '
        '"Brita filter jug".',
        'Rated 4.6, above the 4.1 of "Brita filter jug".',
        "评分4.6，高于“碧然德特大号家用厨房多功能自来水净化过滤水壶”的4.1。",
        "Has steel kettle in its title.",
        "Has 1.7 in its title.",
        "黑色，正合您的要求；售价€45.50，在您的€50以内；评分4.6（1,280条评价）。",
        "21条相关评价中18条称赞质量好；30天内售出320件；12天前上市；现货。",
        "比原价低30%；因您买过“碧然德滤水壶”而推荐；是黑色，不含白色。",
        "售价€45.50，低于本页4款中的其余各款；12位顾客把它和“Brita filter jug”一起购买。",
    ],
)
def test_what_is_on_record_stands(text: str) -> None:
    checked = check_text(text, record("黑色 kettle under 50, 不要白色 not white"))
    assert checked.claims
    assert [(claim.text, claim.causes) for claim in checked.unsupported] == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("White, as you asked.", "value"),
        ("红色，正合您的要求。", "value"),
        ("Waterproof and light.", "word"),
        ("Dishwasher safe.", "negated"),
        ("€44.50, within your limit of €50.", "price"),
        ("€45.50, within your limit of €40.", "price"),
        ("45% off its list price.", "percent"),
        ("At €45.50, 55% below the middle price of 4 here.", "percent"),
        ("The lowest price of 9 here at €45.50.", "page"),
        ("Rated 4.9 from 1,280 reviews.", "rating"),
        ("Rated 4.6 from 12,800 reviews.", "reviews"),
        ("19 of 21 reviews on it praise the quality.", "praise"),
        ("18 of 1,280 reviews on it praise the quality.", "praise"),
        ("1280条相关评价中18条称赞质量好。", "praise"),
        ("18 of 21 reviews on it praise the value for money.", "aspect"),
        ("Bought 3,200 times in 30 days.", "sales"),
        ("Bought 320 times in 60 days.", "window"),
        ("Released 2 days ago.", "age"),
        ('Because you bought "Siemens toaster".', "title"),
        ('500 customers bought it together with "Brita filter jug".', "customers"),
        ('Rated 4.6, above the 4.3 of "Brita filter jug".', "rating"),
        ("Black, not stainless steel.", "negation"),
        ("Better than other kettles.", "comparative"),
        ("The best kettle.", "superlative"),
        ("质量最好。", "superlative"),
        ("Holds 2.5 L.", "number"),
        ("售价€99，在您的€50以内。", "price"),
        ("21条相关评价中20条称赞质量好。", "praise"),
        ("30天内售出999件。", "sales"),
        ("因为您看过“西门子面包机”。", "title"),
        ("防水。", "word"),
    ],
)
def test_what_is_not_on_record_is_found(text: str, cause: str) -> None:
    checked = check_text(text, record())
    assert cause in {found for claim in checked.unsupported for found in claim.causes}


def test_history_is_told_only_to_those_who_have_one() -> None:
    nobody = Record(product=product(), query="kettle", page=[product()], now=NOW)
    told = ("From Acme, a brand you have looked at.", "来自您看过的品牌Acme。")
    for text in told:
        assert check_text(text, nobody).unsupported
    returning = Record(
        product=product(), query="", history=[Seen(product("p7"), bought=False)], now=NOW
    )
    for text in told:
        assert not check_text(text, returning).unsupported
    assert check_text("From Acme, a brand you often look at.", returning).unsupported


def test_a_dearer_product_is_not_the_lowest() -> None:
    own = product(amount=90.0)
    known = Record(product=own, query="kettle", page=[own, product("p2", 60.0)], now=NOW)
    assert check_text("The lowest price of 2 here at €90.", known).unsupported


def test_every_claim_is_counted_once() -> None:
    text = "Black, as you asked; €45.50, within your limit of €50; rated 4.6 from 1,280 reviews."
    claims = [claim.text for claim in check_text(text, record()).claims]
    assert claims == [
        "Black",
        "as you asked",
        "€45.50",
        "within your limit of €50",
        "rated 4.6 from 1,280 reviews",
    ]


def test_prices_of_a_page_of_several_categories_are_not_compared() -> None:
    known = record()
    known.page[1].category_path[:] = ["Kitchen", "Jugs"]
    for text in ("The lowest price of 4 here.", "35% below the middle price of 4 here."):
        assert check_text(text, record()).unsupported == ()
        assert check_text(text, known).unsupported
