from dataclasses import replace

import pytest

from services.reason.clauses import say, slots
from services.reason.evaluation.attacks import facts_of as found_in
from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.facts import Fact, PagePrices
from services.reason.generate import plan
from services.reason.recheck import RECHECKS
from services.reason.recheck_own import OWN_RECHECKS
from services.reason.recheck_shop import SHOP_RECHECKS
from services.reason.relations import relation_facts
from services.reason.templates import TEMPLATES
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import Product
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_POPULAR, Relation


def facts_of(scene, language="en"):
    return {fact.code: fact for fact in found_in(scene, language)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_scene_has_evidence_of_nearly_every_code(make_scene, language):
    missing = set(RECHECKS) - set(facts_of(make_scene(language), language)) - set(OWN_RECHECKS)
    missing -= set(SHOP_RECHECKS)  # of products that the shop did something to
    # Of a user who dealt with the product, or paid, or orders at intervals.
    known = {"seen_before", "price_like_yours", "due_for_reorder"}
    known.add("picture_match")  # of a search by pictures
    assert missing == {"below_median_price", "because_you_bought", "meaning_match", *known}


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [
        ("en", "price_fit", {"at ¥299, within your ¥500", "¥299, within your limit of ¥500"}),
        ("zh", "price_fit", {"售价¥299，在您的¥500以内", "¥299，不超过您的¥500"}),
        ("en", "well_reviewed", {"rated 4.7 from 1,320 reviews", "4.7 stars in 1,320 reviews"}),
        ("zh", "well_reviewed", {"1,320条评价平均4.7分", "评分4.7（1,320条评价）"}),
        ("en", "exclusion_met", {"black, not red", "comes in black, not red"}),
        ("zh", "exclusion_met", {"黑色，不是红色", "是黑色，不含红色"}),
        ("zh", "praised_value_for_money", {"45条相关评价中41条称赞性价比高"}),
        ("zh", "praised_gift", {"45条相关评价中41条说适合送礼"}),
        ("en", "popular", {"bought 120 times in 30 days", "120 sold in the last 30 days"}),
        ("en", "discount", {"25% off its list price", "now 25% below its list price"}),
        ("en", "lowest_price_on_page", {"the lowest price of 5 here at ¥299"}),
        ("en", "because_you_viewed", {'recommended because you looked at "Trail pack 20 l"'}),
        (
            "en",
            "price_in_category",
            {
                "cheaper than 36 of the 45 others in Backpacks",
                "cheaper than 36 of 45 others in Backpacks here",
            },
        ),
        (
            "zh",
            "price_in_category",
            {"价格低于其他45款双肩包中的36款", "比其他45款双肩包中的36款便宜"},
        ),
        ("en", "compatible_with", {'listed as compatible with "Orbit Frame 2000D"'}),
        ("zh", "compatible_with", {"标明兼容“Orbit Frame 2000D”"}),
        ("en", "chosen_before", {"chosen by shoppers after the same search"}),
        ("zh", "chosen_before", {"搜索过同样内容的顾客选过它"}),
        ("en", "new_arrival", {"released 12 days ago"}),
        (
            "en",
            "bought_together",
            {
                'bought together with "Rain cover XT 40" by 37 customers',
                '37 customers bought it together with "Rain cover XT 40"',
            },
        ),
        ("en", "fits_yours", {'fits your "Rain cover XT 40"'}),
        ("en", "fits", {'fits "Frame 7"', 'made to fit "Frame 7"'}),
        ("zh", "fits_yours", {"适用于您的“Rain cover XT 40”"}),
        (
            "en",
            "similar_to",
            {'similar to "Rain cover XT 40"', 'an alternative to "Rain cover XT 40"'},
        ),
        ("zh", "similar_to", {"与“Rain cover XT 40”相似", "和“Rain cover XT 40”相近"}),
        (
            "en",
            "same_brand",
            {
                'similar to "Rain cover XT 40", also from Thule',
                'from Thule, like the similar "Rain cover XT 40"',
            },
        ),
        (
            "zh",
            "same_brand",
            {
                "与“Rain cover XT 40”相似，品牌同为Thule",
                "和“Rain cover XT 40”同属品牌Thule，彼此相似",
            },
        ),
        ("en", "better_rated", {'rated 4.7, above the 4.2 of "Rain cover XT 40"'}),
        ("zh", "better_rated", {"评分4.7，高于“Rain cover XT 40”的4.2"}),
        ("en", "bought_before", {"you bought it 40 days ago"}),
        ("zh", "bought_before", {"您40天前买过它"}),
        (
            "en",
            "rating_counted",
            {"its rating counts in its favour here, 4.7 stars from 1,320 reviews"},
        ),
        ("zh", "rating_counted", {"评分为它的排序加分，1,320条评价平均4.7分"}),
        (
            "en",
            "sales_counted",
            {"its sales count in its favour here, 120 sold in the last 30 days"},
        ),
        ("zh", "sales_counted", {"销量为它的排序加分，近30天售出120件"}),
        ("en", "bought_often", {"you bought it 3 times, the last time 12 days ago"}),
    ],
)
def test_what_is_said(make_scene, language, code, expected):
    fact = facts_of(make_scene(language), language)[code]
    assert {say(fact, language, f"p{i}") for i in range(40)} == expected


@pytest.mark.parametrize("path", [["Audio", "Cases"], []])
def test_prices_of_unlike_goods_are_not_compared(make_scene, path):
    scene = make_scene()
    assert "lowest_price_on_page" in facts_of(scene)
    others = [Product(id=f"o{i}", category_path=scene.product.category_path) for i in range(4)]
    for each in others:
        each.price.amount, each.price.currency_code = 400.0, "CNY"
    del others[0].category_path[:]
    others[0].category_path.extend(path)
    mixed = replace(scene, page=PagePrices.of([scene.product, *others]))
    assert mixed.page.by_currency == {}
    assert not {"lowest_price_on_page", "below_median_price"} & set(facts_of(mixed))


@pytest.mark.parametrize("code", sorted(RECHECKS))
def test_every_code_is_said_in_every_language(code):
    assert all(code in TEMPLATES[language] for language in ("en", "zh"))


def test_below_median_rounds_down(make_scene):
    fact = facts_of(make_scene(amount=299.0))["lowest_price_on_page"]
    assert fact.meets == "5"
    scene = make_scene(amount=250.0)
    scene.page.by_currency["CNY"] = (200.0, 250.0, 401.0, 402.0, 403.0)
    fact = facts_of(scene)["below_median_price"]
    assert slots(fact, "en") == {"percent": "37%", "price": "¥250", "count": "5"}


@pytest.mark.parametrize(
    ("change", "gone"),
    [
        (lambda p: p.attributes["colour"].texts.__setitem__(0, "Red"), "exclusion_met"),
        (lambda p: p.attributes.pop("colour"), "exclusion_met"),
        (lambda p: p.ClearField("price"), "price_fit"),
        (lambda p: setattr(p.price, "amount", 500.01), "price_fit"),
        (lambda p: setattr(p.price, "list_amount", 0), "discount"),
        (lambda p: setattr(p.review_summary, "rating_count", 4), "well_reviewed"),
        (lambda p: setattr(p.review_summary, "average_rating", 3.9), "well_reviewed"),
        (lambda p: setattr(p.review_summary.opinions[1], "negative_count", 14), "praised_quality"),
        (lambda p: setattr(p.statistics, "purchase_count", 9), "popular"),
        (lambda p: setattr(p.stock, "availability", 0), "in_stock"),
        (lambda p: setattr(p.release_time, "seconds", int(2e9)), "new_arrival"),
        (lambda p: setattr(p, "brand", "Osprey"), "brand_match"),
    ],
)
def test_nothing_is_claimed_that_the_catalogue_does_not_state(make_scene, change, gone):
    scene = make_scene()
    assert gone in facts_of(scene)
    change(scene.product)
    assert gone not in facts_of(scene)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_of_verified_reasons(make_scene, verifier, language):
    scene = make_scene(language)
    items = [Item(scene.product, ("h1",)), Item(Product(id="x", titles={"en": "Nothing"}))]
    wanted = ExplainInput(items, scene.query, scene.user, language, max_clauses=2)
    full, empty = Explainer(verifier, clock=lambda: scene.now).explain(wanted)
    assert [c.code for c in full.claims] == ["price_fit", "compatible_with"]
    assert all(c.text in full.text for c in full.claims)
    assert full.text.endswith("。" if language == "zh" else ".")
    assert (empty.text, list(empty.claims)) == ("", [])


def test_a_reason_is_the_same_every_time(make_scene, verifier):
    scene = make_scene()
    wanted = ExplainInput([Item(scene.product)], scene.query)
    explainer = Explainer(verifier, clock=lambda: scene.now)
    assert list(explainer.explain(wanted)) == list(explainer.explain(wanted))


def test_a_limit_in_another_currency_is_no_fit(make_scene, verifier):
    scene = make_scene()
    scene.query.constraints[0].range.unit = "EUR"
    (reason,) = Explainer(verifier).explain(ExplainInput([Item(scene.product)], scene.query))
    assert "price_fit" not in [c.code for c in reason.claims]


def test_a_guess_of_the_price_is_no_limit(make_scene, verifier):
    """Who asks for about 400 never said 500."""
    scene = make_scene()
    fact = facts_of(scene)["price_fit"]
    scene.query.constraints[0].hard = False
    assert "price_fit" not in facts_of(scene)
    assert not RECHECKS["price_fit"](fact, scene)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (ExplainInput([]), "items"),
        (ExplainInput([Item(Product(id=str(i))) for i in range(101)]), "items"),
        (ExplainInput([Item(Product(id="a")), Item(Product(id="a"))]), "items[1].product.id"),
        (ExplainInput([Item(Product())]), "items[0].product.id"),
        (ExplainInput([Item(Product(id="a"))], max_clauses=6), "max_clauses"),
        (ExplainInput([Item(Product(id="a"))], max_clauses=-1), "max_clauses"),
    ],
)
def test_bad_input_names_the_field(verifier, wanted, field):
    with pytest.raises(InvalidArgumentError) as caught:
        list(Explainer(verifier).explain(wanted))
    assert [v.field for v in caught.value.violations] == [field]


@pytest.mark.parametrize(
    ("seconds", "english", "chinese"),
    [
        (3_600, "today", "今天"),
        (86_400, "1 day ago", "1天前"),
        (2.9 * 86_400, "2 days ago", "2天前"),
    ],
)
def test_how_long_ago_it_was_bought(make_scene, verifier, seconds, english, chinese):
    scene = make_scene()
    bought = scene.relations[7]
    bought.age_seconds = seconds
    item = Item(scene.product, relations=[bought])
    texts = [
        reason.text
        for language in ("en", "zh")
        for reason in Explainer(verifier).explain(
            ExplainInput([item], user=scene.user, language=language, max_clauses=5)
        )
    ]
    assert f"ou bought it {english}" in texts[0]
    assert f"您{chinese}买过它" in texts[1]


def test_one_person_alone_is_never_told(make_scene):
    scene = make_scene()
    for relation in scene.relations:
        relation.customer_count = min(relation.customer_count, 1)
    assert not {"bought_together", "viewed_together"} & facts_of(scene).keys()


def test_a_product_that_has_no_name_is_not_named(make_scene):
    scene = make_scene()
    for relation in scene.relations:
        relation.product_title = ""
    told = {fact.code for fact in relation_facts(scene)}
    assert told == {"bought_before", "bought_often"}


@pytest.mark.parametrize(("sold", "first"), [(120, "popular"), (9, "well_reviewed")])
def test_what_is_recommended_for_its_sales_says_so_first(make_scene, verifier, sold, first):
    relation = Relation(kind=RELATION_KIND_POPULAR)
    product = make_scene().product
    product.statistics.purchase_count = sold
    wanted = ExplainInput([Item(product, relations=[relation])])
    (reason,) = Explainer(verifier).explain(wanted)
    assert reason.claims[0].code == first
    assert [claim.code for claim in reason.claims].count("popular") == (sold == 120)


HISTORY = ("because_you_viewed", "brand_affinity", "category_affinity")


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (("because_you_viewed", "category_affinity"), ["because_you_viewed"]),
        (("title_match", "category_affinity"), ["title_match", "category_affinity"]),
        (
            ("title_match", "category_affinity", "in_stock"),
            ["title_match", "category_affinity", "in_stock"],
        ),
        (("title_match", "brand_affinity", "category_affinity"), ["title_match", "brand_affinity"]),
        (("better_rated", "well_reviewed"), ["better_rated"]),
        (("because_you_viewed", "title_match"), ["because_you_viewed", "title_match"]),
        (("brand_match", "brand_affinity"), ["brand_affinity"]),
        (
            ("brand_match", "because_you_viewed", "brand_affinity"),
            ["brand_match", "because_you_viewed"],
        ),
        (("fits", "similar_to", "category_affinity"), ["fits", "category_affinity"]),
    ],
)
def test_what_says_much_the_same_is_said_once(found, told):
    strengths = range(len(found), 0, -1)
    facts = [
        Fact(c, "profile" if c in HISTORY else "", c, "", s)
        for c, s in zip(found, strengths, strict=True)
    ]
    assert [fact.code for fact in plan(facts)] == told
