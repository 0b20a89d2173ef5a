"""No sentence stands twice on a page where anything can tell its products apart."""

import re

import pytest

from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.recheck_own import OWN_RECHECKS
from wherefore.common.v1.product_pb2 import AVAILABILITY_IN_STOCK, Product
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, QueryUnderstanding


def black_query(language: str) -> QueryUnderstanding:
    word = "黑色" if language == "zh" else "black"
    query = QueryUnderstanding(query=word, search_text=word, language_code=language)
    query.entities.add(type=EntityType.ENTITY_TYPE_COLOUR, text=word, normalized="black")
    return query


def black(number: int, **attributes: str) -> Product:
    product = Product(id=f"p{number}", titles={"en": "Thing", "zh": "东西"})
    product.attributes["colour"].texts.append("black")
    for key, value in attributes.items():
        product.attributes[key].texts.append(value)
    return product


def reasons(verifier, products, language="en", most=0):
    wanted = ExplainInput(
        [Item(product) for product in products], black_query(language), max_clauses=most
    )
    return list(Explainer(verifier).explain(wanted))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_products_alike_in_all_that_was_asked_are_told_apart(verifier, language):
    products = [black(number, model=f"K{number}0") for number in range(10)]
    found = reasons(verifier, products, language)
    assert len({reason.text for reason in found}) == len(products)
    assert all(reason.claims[0].code == "attribute_match" for reason in found)
    own = [claim.text for reason in found for claim in reason.claims[1:]]
    assert own[0] == {"en": "model: K20", "zh": "型号：K20"}[language]


def test_what_few_share_is_said_before_what_many_share(verifier):
    products = [black(number, material="steel", model=f"K{number}0") for number in range(4)]
    texts = [reason.text for reason in reasons(verifier, products)]
    assert sum("model:" in text for text in texts) == 2  # after the two wordings
    assert not any("material:" in text for text in texts)


def test_a_price_tells_apart_where_no_clause_names_it(verifier):
    products = [black(number) for number in range(4)]
    for number, product in enumerate(products):
        product.price.amount, product.price.currency_code = 20.0 + number, "EUR"
        product.attributes["colour"].texts.append("white")
    found = reasons(verifier, products)
    assert len({reason.text for reason in found}) == 4
    assert "stated_price" in {claim.code for reason in found for claim in reason.claims}


def test_own_facts_stand_alone_only_where_nothing_else_does_and_once(verifier):
    wanted = ExplainInput([Item(black(number, model="K10")) for number in range(3)])
    texts = [reason.text for reason in Explainer(verifier).explain(wanted)]
    # All are the same thing: what every neighbour has as well is no reason.
    assert texts[0] == "Colour: black."
    assert len(set(filter(None, texts))) == len(list(filter(None, texts)))


def test_stock_does_not_stand_alone_where_the_catalogue_states_more(verifier):
    products = [Product(id=f"p{number}", titles={"en": "Bag"}) for number in range(3)]
    for number, product in enumerate(products):
        product.stock.availability = AVAILABILITY_IN_STOCK
        product.price.amount, product.price.currency_code = 20.0 + number, "EUR"
    products[0].attributes["colour"].texts.append("red")
    products[0].attributes["customs_code"].texts.append("A-8473")
    products[0].attributes["weight"].numbers.append(540)
    wanted = ExplainInput([Item(product) for product in products], black_query("en"))
    found = list(Explainer(verifier).explain(wanted))
    assert [claim.code for claim in found[0].claims] == [
        "stated_price",
        "stated_attribute",
        "in_stock",
    ]
    assert not {"8473", "540"} & set(re.findall(r"\d+", found[0].text))
    assert all(len(reason.claims) > 1 for reason in found[1:])


def test_stock_stands_alone_where_the_catalogue_states_nothing(verifier):
    product = Product(id="p", titles={"en": "Bag"})
    product.stock.availability = AVAILABILITY_IN_STOCK
    (reason,) = Explainer(verifier).explain(ExplainInput([Item(product)], black_query("en")))
    assert [claim.code for claim in reason.claims] == ["in_stock"]


def test_a_bound_of_one_clause_is_kept(verifier):
    found = reasons(verifier, [black(number, model=f"K{number}0") for number in range(4)], most=1)
    assert [len(reason.claims) for reason in found] == [1] * 4
    assert len({reason.text for reason in found}) == 2  # the wordings that there are


def test_a_page_is_the_same_every_time(verifier):
    products = [black(number, model=f"K{number // 2}0") for number in range(8)]
    first = [reason.text for reason in reasons(verifier, products)]
    assert first == [reason.text for reason in reasons(verifier, products)]


def test_a_value_that_a_sentence_cannot_hold_is_not_stated(verifier):
    long = "a rather long text about what the thing is made for"
    products = [black(number, model=value) for number, value in enumerate(["a; b", "a, b", long])]
    codes = {claim.code for reason in reasons(verifier, products) for claim in reason.claims}
    assert not codes & set(OWN_RECHECKS)
