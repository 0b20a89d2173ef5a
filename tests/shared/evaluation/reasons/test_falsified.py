"""True sentences made false: the checker notices, and what is true by chance is no falsehood."""

import pytest

from shared.evaluation.claims import Record, Seen, check_text
from shared.evaluation.reasons.falsified import Given, Noticed, check_falsified, falsehoods
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1.reason_pb2 import Evidence, Reason


def given(colour: str, text: str, price: float, language: str = "en") -> Given:
    product = Product(id=f"p-{colour}", brand="Acme")
    product.titles["en"] = f"Acme {colour} kettle"
    product.attributes["colour"].texts.append(colour)
    product.price.amount, product.price.currency_code = price, "EUR"
    bought = Product(id="b")
    bought.titles["en"] = "Bolder toaster"
    reason = Reason(
        product_id=product.id,
        text=text,
        language_code=language,
        codes=["attribute_match", "price_fit", "because_you_bought"],
        evidence=[
            Evidence(code="attribute_match", source="attributes.colour", value=colour),
            Evidence(code="price_fit", source="price.amount", value=f"{price} EUR", meets="50.0"),
        ],
    )
    history = [Seen(bought, bought=True)]
    return Given(reason, Record(product, f"{colour} kettle under 50", [product], history))


ENGLISH = given(
    "black",
    "Black, as you asked; at €45, within your €50; "
    'recommended because you bought "Bolder toaster".',
    45.0,
)
CHINESE = given(
    "white",
    "白色，正合您的要求；售价€39，在您的€50以内；因您买过“Bolder toaster”而推荐。",
    39.0,
    "zh",
)
KINDS = {
    "value swapped",
    "number changed",
    "value denied",
    "superlative",
    "another product's sentence",
    "history of nobody",
}


@pytest.mark.parametrize(("one", "other"), [(ENGLISH, CHINESE), (CHINESE, ENGLISH)])
def test_what_is_true_passes_and_what_is_false_does_not(one: Given, other: Given) -> None:
    assert not check_text(one.reason.text, one.record).unsupported
    made = list(falsehoods(one, other))
    assert {kind for kind, _, _ in made} == KINDS
    passed = [(kind, text) for kind, text, at in made if not check_text(text, at).unsupported]
    assert passed == []


def test_a_sentence_that_fits_both_is_no_falsehood() -> None:
    twin = given("black", ENGLISH.reason.text, 45.0)
    twin.record.product.id = "twin"
    assert {kind for kind, _, _ in falsehoods(ENGLISH, twin)} == KINDS - {
        "value swapped",
        "another product's sentence",
    }


def test_counts() -> None:
    noticed = check_falsified([ENGLISH, CHINESE])
    assert noticed.share == 1.0
    assert set(noticed.made) == KINDS
    assert Noticed().share is None
    missed = Noticed()
    missed.note("superlative", "the best", rejected=False)
    assert missed.as_json()["share"] == 0.0
    assert missed.passed == ["superlative: the best"]
