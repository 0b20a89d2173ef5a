import pytest

from services.ranking import text_features as f
from services.ranking.product_text import ProductTextCache, analyse_product, analyse_title
from services.ranking.query import view_query
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import Entity, EntityType, QueryUnderstanding


def query(text, **fields):
    return view_query(QueryUnderstanding(query=text, **fields))


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        ("notebook case", "Targus notebook case 39.1 cm Black", 1.0),
        ("notebook", "Targus notebook case 39.1 cm Black", 0.5),
        ("mouse", "Wireless mouse for notebooks", 1.0),
        ("notebook", "Cooling stand for notebooks", 0.0),
        ("notebook", "HP EliteBook 8530p Notebook (ENERGY STAR)", 1.0),
        ("switch", "3 Port Switch", 1.0),
        ("双肩包", "帆布双肩包（黑色）", 1.0),
        ("手机", "支架 适用手机", 0.0),
    ],
)
def test_title_head(text, title, expected):
    assert f.title_head(query(text), analyse_title(title)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        ("notebook", "Cooling stand for notebooks", 1.0),
        ("notebook stand", "Stand for notebooks", 0.5),
        ("notebook", "Notebook case for notebooks", 0.0),
        ("手机", "支架 适用手机", 1.0),
    ],
)
def test_accessory_mention(text, title, expected):
    assert f.accessory_mention(query(text), analyse_title(title)) == pytest.approx(expected)


def test_coverage_and_phrase_tell_order_and_gaps_apart():
    title = analyse_title("Wireless optical mouse")
    assert f.title_coverage(query("wireless mouse pad"), title) == pytest.approx(2 / 3)
    assert f.title_phrase(query("optical mouse"), title) == 1.0
    assert f.title_phrase(query("mouse optical"), title) == 0.0
    assert f.title_phrase(query("wireless mouse"), title) == 0.0


def test_best_title_is_the_one_in_the_querys_language():
    product = Product(id="a", titles={"en": "Steel kettle", "zh": "不锈钢水壶"})
    text = analyse_product(product)
    assert f.title_coverage(query("水壶"), f.best_title(query("水壶"), text)) > 0
    assert f.title_coverage(query("kettle"), f.best_title(query("kettle"), text)) == 1.0


def test_model_numbers_meet_across_spellings():
    understanding = QueryUnderstanding(
        query="brother tn2110",
        entities=[Entity(type=EntityType.ENTITY_TYPE_MODEL, text="tn2110")],
    )
    text = analyse_product(Product(id="a", titles={"en": "Brother TN-2110 toner"}))
    other = analyse_product(Product(id="b", titles={"en": "Brother TN-2120 toner"}))
    assert f.model_match(view_query(understanding), text) == 1.0
    assert f.model_match(view_query(understanding), other) == 0.0


def test_entity_agreement_crosses_languages_and_ignores_negated():
    understanding = QueryUnderstanding(
        query="black kettle not red",
        entities=[
            Entity(type=EntityType.ENTITY_TYPE_COLOUR, text="black", normalized="black"),
            Entity(type=EntityType.ENTITY_TYPE_COLOUR, text="red", normalized="red", negated=True),
        ],
    )
    product = Product(id="a", titles={"zh": "水壶"})
    product.attributes["colour"].texts.append("黑色")
    assert f.entity_agreement(view_query(understanding), product, analyse_product(product)) == 1.0
    product.attributes["colour"].texts[0] = "红色"
    assert f.entity_agreement(view_query(understanding), product, analyse_product(product)) == 0.0


def test_cache_follows_the_etag():
    cache = ProductTextCache(10)
    product = Product(id="a", titles={"en": "Red kettle"}, etag="1")
    first = cache.get(product)
    assert cache.get(product) is first
    changed = Product(id="a", titles={"en": "Blue kettle"}, etag="2")
    assert "blue" in cache.get(changed).titles[0].positions


def test_products_without_etag_are_never_cached():
    cache = ProductTextCache(10)
    cache.get(Product(id="a", titles={"en": "Red kettle"}))
    text = cache.get(Product(id="a", titles={"en": "Blue kettle"}))
    assert "blue" in text.titles[0].positions


def test_reading_does_not_change_the_product():
    product = Product(id="a", titles={"en": "Kettle"})
    before = product.SerializeToString(deterministic=True)
    analyse_product(product)
    assert product.SerializeToString(deterministic=True) == before
