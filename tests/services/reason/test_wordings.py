"""Wordings that made shoppers laugh, and what is said instead."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.reason.clauses import say
from services.reason.evidence import query_facts
from services.reason.facts import Fact, PagePrices, Scene
from services.reason.generate import claim, plan
from services.reason.recheck import RECHECKS
from services.reason.relations import relation_facts
from services.reason.standing import standing_facts
from services.reason.verify import Verifier
from shared.catalogue.plain_text import plain_line
from tests.services.reason.conftest import build_scene
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, QueryUnderstanding
from wherefore.recommend.v1 import relation_pb2


def scene_of(
    title: str, query: str, brand: str = "", *, names_brand: bool = False, language: str = "en"
) -> Scene:
    understood = QueryUnderstanding(query=query, search_text=query, language_code=language)
    if names_brand:
        understood.entities.add(type=EntityType.ENTITY_TYPE_BRAND, text=brand, normalized=brand)
    product = Product(id="p", titles={language: title}, brand=brand)
    return Scene(product, understood, None, PagePrices({}))


def titled(scene: Scene, language: str = "en") -> list[str]:
    return [f.value for f in query_facts(scene, language) if f.code == "title_match"]


@pytest.mark.parametrize(
    ("value", "asked", "said"),
    [
        ("women", "女", {"是您要的女款", "女款，正合您的要求"}),
        ("women", "女士", {"是您要的女士款", "女士款，正合您的要求"}),
        ("women", "女款", {"是您要的女款", "女款，正合您的要求"}),
        ("boys", "男童", {"是您要的男童款", "男童款，正合您的要求"}),
        ("unisex", "男女通用", {"是您要的男女通用款", "男女通用款，正合您的要求"}),
    ],
)
def test_for_whom_it_is_made_is_said_in_words_that_stand_alone(
    value: str, asked: str, said: set[str], verifier: Verifier
) -> None:
    fact = Fact("attribute_match", "attributes.audience", value, asked, 0.9)
    assert {say(fact, "zh", f"p{i}") for i in range(20)} == said
    scene = scene_of("外套", f"{asked}外套", language="zh")
    scene.product.attributes["audience"].texts.append(value)
    assert scene.query is not None
    scene.query.entities.add(type=EntityType.ENTITY_TYPE_AUDIENCE, text=asked, normalized=value)
    (found,) = (f for f in query_facts(scene, "zh") if f.code == "attribute_match")
    assert verifier.check(claim(found, "zh", "p"), scene, "zh").holds


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("audience", "women", "for women, as "),
        ("size", "M", "in size M, as "),
        ("material", "canvas", "made of canvas, as "),
        ("occasion", "camping", "listed for camping, as "),
    ],
)
def test_an_attribute_is_said_as_what_it_is(key: str, value: str, said: str) -> None:
    fact = Fact("attribute_match", f"attributes.{key}", value, value, 0.9)
    assert all(say(fact, "en", f"p{i}").startswith(said) for i in range(20))


@pytest.mark.parametrize(
    ("path", "language", "named"),
    [
        (["Shoes", "Boots"], "zh", "靴子"),
        (["Shoes", "Boots"], "en", "Boots"),
        (["Gear", "Fitness Equipment"], "zh", ""),
        (["Tops", "Tees"], "zh", "T恤"),
        (["鞋", "靴子"], "en", "boots"),
    ],
)
def test_a_category_is_named_in_the_language_or_not_at_all(
    path: list[str], language: str, named: str, verifier: Verifier
) -> None:
    user = UserProfile(category_affinities={" > ".join(path): 0.6})
    scene = Scene(Product(id="p", category_path=path), None, user, PagePrices({}))
    facts = [f for f in standing_facts(scene, language) if f.code == "category_affinity"]
    assert bool(facts) == bool(named)
    for fact in facts:
        written = claim(fact, language, "p")
        assert named in written.text
        assert verifier.check(written, scene, language).holds


@pytest.mark.parametrize(
    ("title", "query", "words"),
    [
        ("Kettle 2 L", "kettle 2 l", ["Kettle 2 L"]),
        ("AA battery, 4 pcs", "battery 4 pcs", ["battery"]),
        ("S - pen (12)", "s pen 12", ["pen"]),
        ("Cable 10", "10", []),
        ("Dell's PC s", "pc s", []),
        ("4K TV", "4k tv", ["4K TV"]),
        ("Gaming mouse", "silent mouse", ["mouse"]),
        ("Slippers, non-slip sole", "slippers that do not slip", ["Slippers"]),
        ("4 port VGA switch", "nintendo switch games", []),
        ("Gym pant", "duffle bag for the gym", []),
        ("Surface 表面安装盒", "微软surface", ["Surface"]),
        ("LaserJet TN-2110", "tn-2110", ["TN-2110"]),
        ("Brother TN-11BK toner", "brother tn-2110 toner", ["Brother, toner"]),
        ("Short-Sleeve Tee", "short sleeve tee", ["Short-Sleeve Tee"]),
    ],
)
def test_what_says_nothing_alone_is_not_told_of_a_title(
    title: str, query: str, words: list[str]
) -> None:
    assert titled(scene_of(title, query)) == words


def test_a_brand_is_told_once() -> None:
    told = scene_of("Sony headphones", "sony headphones", "Sony", names_brand=True)
    assert titled(told) == ["Sony headphones"]
    told = scene_of("Sony WH-1 case", "sony case", "Sony", names_brand=True)
    assert titled(told) == ["case"]
    alone = scene_of("Sony WH-1", "sony", "Sony", names_brand=True)
    assert titled(alone) == []
    assert titled(scene_of("Sony WH-1", "sony", "Sony")) == ["Sony"]


def test_what_is_told_as_a_colour_is_not_told_again_of_the_title(verifier: Verifier) -> None:
    scene = scene_of("Gobi Tee Red", "red tee gobi")
    scene.product.attributes["colour"].texts.append("Red")
    assert scene.query is not None
    scene.query.entities.add(type=EntityType.ENTITY_TYPE_COLOUR, text="red", normalized="red")
    assert titled(scene) == ["Gobi Tee Red"]
    scene.query.query = scene.query.search_text = "red"
    (fact,) = query_facts(scene, "en")
    assert say(fact, "en", "p").startswith("red, as ")
    assert verifier.check(claim(fact, "en", "p"), scene, "en").holds


def test_one_attribute_is_told_once() -> None:
    asked = Fact("attribute_match", "attributes.colour", "black", "black", 0.9)
    spared = Fact("exclusion_met", "attributes.colour", "black", "blue", 0.91)
    made = Fact("attribute_match", "attributes.material", "canvas", "canvas", 0.9)
    assert plan([asked, spared, made]) == [spared, made]


def test_nothing_is_alike_to_a_product_of_the_same_name() -> None:
    kind = relation_pb2.RELATION_KIND_SIMILAR
    ties = [
        relation_pb2.Relation(kind=kind, product_id="v", product_title=title)
        for title in ("Ball 55 cm", "Ball 65 cm")
    ]
    scene = Scene(
        Product(id="p", titles={"en": "Ball 55 cm"}), None, None, PagePrices({}), relations=ties
    )
    assert [fact.value for fact in relation_facts(scene)] == ["Ball 65 cm"]


def test_single_characters_of_chinese_are_not_told() -> None:
    assert titled(scene_of("保温杯 大", "大", language="zh"), "zh") == []


def test_entities_are_read() -> None:
    assert plain_line(" Push It &reg; &amp;\n more ") == "Push It ® & more"


def test_a_trademark_is_no_part_of_the_word(verifier: Verifier) -> None:
    scene = scene_of("Hero LumaTech™ Tee", "lumatech tee")
    (fact,) = (f for f in query_facts(scene, "en") if f.code == "title_match")
    assert verifier.check(claim(fact, "en", "p"), scene, "en").holds


@pytest.mark.parametrize(
    ("language", "said"), [("en", "canvas and backpack"), ("zh", "帆布、双肩包")]
)
def test_each_language_lists_in_its_own_way(language: str, said: str) -> None:
    value = said.replace("、", ", ").replace(" and ", ", ")
    fact = Fact("title_match", f"titles.{language}", value, value, 0.5)
    assert said in say(fact, language, "p")


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", {"cheaper than all 12 others in Backpacks"}),
        ("zh", {"价格低于其他全部12款双肩包", "比其他12款双肩包都便宜"}),
    ],
)
def test_a_price_below_every_other_is_said_so(
    language: str, said: set[str], verifier: Verifier
) -> None:
    scene = build_scene(language)
    assert scene.price_standing is not None
    scene.price_standing.dearer_count = scene.price_standing.compared_count = 12
    (fact,) = (f for f in standing_facts(scene, language) if f.code == "price_in_category")
    assert {say(fact, language, f"p{i}") for i in range(20)} == said
    assert verifier.check(claim(fact, language, "p"), scene, language).holds
    # Of 12 others all but one: "all" is false then.
    scene.price_standing.dearer_count = 11
    (some,) = (f for f in standing_facts(scene, language) if f.code == "price_in_category")
    told = replace(claim(some, language, "p"), text=next(iter(said)))
    assert verifier.check(told, scene, language).cause == "number"


def test_an_inch_does_not_end_the_quotation(
    make_scene: Callable[..., Scene], verifier: Verifier
) -> None:
    scene = make_scene("en")
    scene.user.recent_products[0].title = 'Screen 27" black'
    (fact,) = (f for f in standing_facts(scene, "en") if f.code == "because_you_viewed")
    written = claim(fact, "en", "p")
    assert written.text == 'recommended because you looked at “Screen 27" black”'
    assert verifier.check(written, scene, "en").holds


def test_a_denial_alone_is_no_word_of_the_query() -> None:
    scene = scene_of("轻薄防晒霜 不泛白 60ml", "防晒霜 不油腻", language="zh")
    assert titled(scene, "zh") == ["防晒霜"]


@pytest.mark.parametrize(
    ("title", "asked", "language", "there"),
    [
        ("Sugarloom white tea", "green tea", "en", False),
        ("Osmantea green tea", "green tea", "en", True),
        ("Osmantea green tea", "tea", "en", True),
        ("巧克力蛋糕", "生日蛋糕", "zh", False),
        ("巧克力生日蛋糕", "生日蛋糕", "zh", True),
    ],
)
def test_a_narrower_kind_must_be_what_the_product_is_called(
    title: str, asked: str, language: str, *, there: bool
) -> None:
    kind = "tea" if language == "en" else "cake"
    scene = scene_of(title, asked, language=language)
    scene.product.attributes["product_type"].texts.append(kind)
    assert scene.query is not None
    scene.query.entities.add(type=EntityType.ENTITY_TYPE_PRODUCT_TYPE, text=asked, normalized=kind)
    found = [f for f in query_facts(scene, language) if f.code == "product_type_match"]
    assert bool(found) is there
    claimed = Fact("product_type_match", "attributes.product_type", kind, asked, 0.8)
    assert RECHECKS["product_type_match"](claimed, scene) is there
