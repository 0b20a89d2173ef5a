"""What a sentence takes up of a query."""

import pytest

from shared.evaluation.claims import Record
from shared.evaluation.reasons.coverage import Wishes, wishes, word_coverage
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import (
    Constraint,
    Entity,
    EntityType,
    NumberRange,
    QueryUnderstanding,
    ValueSet,
)


def kettle() -> Record:
    product = Product(id="k", brand="Acme")
    product.titles["en"] = "Acme steel kettle 1.7 l"
    product.attributes["colour"].texts.append("black")
    product.attributes["size"].texts.append("L")
    product.price.amount = 45.0
    return Record(product)


def entity(kind: str, text: str, normalized: str = "", *, negated: bool = False) -> Entity:
    return Entity(
        type=EntityType.Value(f"ENTITY_TYPE_{kind}"),
        text=text,
        normalized=normalized or text,
        negated=negated,
    )


def found(text: str, *entities: Entity, constraints: tuple[Constraint, ...] = ()) -> Wishes:
    query = QueryUnderstanding(entities=entities, constraints=constraints)
    return wishes(query, kettle(), text)


@pytest.mark.parametrize("text", ["Black, as you asked.", "黑色，正合您的要求。"])
def test_a_word_of_another_language_names_the_same(text: str) -> None:
    wanted = found(text, entity("COLOUR", "黑色", "black"), entity("BRAND", "acme"))
    assert wanted == Wishes(("黑色", "acme"), ("黑色",))


def test_only_what_the_product_has_is_wished_for() -> None:
    wanted = found(
        "A red steel kettle in L by Bolder.",
        entity("COLOUR", "red"),
        entity("BRAND", "Bolder"),
        entity("PRODUCT_TYPE", "kettle"),
        entity("SIZE", "L", "l"),
        entity("MATERIAL", "steel"),
        entity("COLOUR", "black", negated=True),
    )
    assert wanted == Wishes(("kettle", "L", "steel"), ("kettle", "L", "steel"))


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("Costs 45, within your 50.", 50.0, Wishes(("price",), ("price",))),
        ("In stock.", 50.0, Wishes(("price",), ())),
        ("Costs 45.", 40.0, Wishes((), ())),
    ],
)
def test_a_limit_is_named_by_its_number(text: str, limit: float, expected: Wishes) -> None:
    within = Constraint(field="price", range=NumberRange(max=limit))
    assert found(text, constraints=(within,)) == expected


def test_an_exclusion_counts_where_the_value_is_known() -> None:
    not_red = Constraint(field="colour", none_of=ValueSet(values=["red"]))
    not_wool = Constraint(field="material", none_of=ValueSet(values=["wool"]))
    not_black = Constraint(field="colour", none_of=ValueSet(values=["black"]))
    wanted = found("Black, not red.", constraints=(not_red, not_wool, not_black))
    assert wanted == Wishes(("not red",), ("not red",))


def test_words_of_the_query() -> None:
    assert word_coverage("black kettle", "黑色，正合您的要求。") == 0.5
    assert word_coverage("", "anything") == 1.0
