import pytest

from services.ranking.product_text import analyse_product
from services.ranking.query import view_query
from services.ranking.type_features import type_modifier
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import Entity, EntityType, QueryUnderstanding


def view(text, named="", english=""):
    kind = EntityType.ENTITY_TYPE_PRODUCT_TYPE
    entities = [Entity(type=kind, text=named, normalized=english)] if named else []
    return view_query(QueryUnderstanding(query=text, entities=entities))


def product(product_id, title="", category="", model=""):
    made = Product(id=product_id, titles={"en": title}, brand=title.split(" ")[0])
    if category:
        made.category_path.append(category)
    if model:
        made.attributes["model"].texts.append(model)
    return analyse_product(made)


def test_a_stated_type_that_the_query_only_qualifies():
    texts = [product("a", category="Mouse pads"), product("b", category="Gaming mouse")]
    texts.append(product("c", category="Keyboards"))
    assert type_modifier(view("gaming mouse", "mouse"), texts) == pytest.approx([1, 0, 0])
    assert type_modifier(view("游戏鼠标", "鼠标", "mouse"), texts) == pytest.approx([1, 0, 0])


def test_types_are_read_from_titles_where_none_is_stated():
    pads = [product(f"p{n}", f"Acme X{n} mouse pad Black", model=f"X{n}") for n in range(3)]
    mice = [product(f"m{n}", f"Acme Y{n} mouse Black", model=f"Y{n}") for n in range(3)]
    found = type_modifier(view("mouse", "mouse"), [*pads, *mice])
    assert found == pytest.approx([1, 1, 1, 0, 0, 0])


def test_a_word_that_names_no_type_makes_no_product_an_accessory():
    texts = [product("a", category="Gaming mouse"), product("b", category="Keyboards")]
    assert not type_modifier(view("gaming"), texts).any()
    assert not type_modifier(view(""), texts).any()
