from services.reason.tags.builder import Limits, build_vocabulary, is_form, value_forms
from services.reason.tags.examples import examples_of, folds_of
from tests.services.reason.tags.conftest import product_of


def catalogue():
    for at in range(6):
        yield product_of(
            id=f"p{at}",
            titles={"en": "Shirt"},
            category_path=["Clothes", "Shirts" if at < 4 else "Trousers"],
            attributes={
                "colour": ["black" if at % 2 else "navy"],
                "model": [f"X{at}"],
                "style": ["CoolTech&trade;  Fit"] if at < 4 else [],
                "size": ["M" if at % 2 else "42"],
                "waterproof": at < 2,
                "rare": ["once"] if not at else [],
            },
        )


def test_values_become_terms_by_category():
    terms = {term.id: term for term in build_vocabulary(examples_of(catalogue())).terms}
    assert {"black", "黑色"} <= set(terms["colour", "black"].forms)
    assert terms["style", "CoolTech™ Fit"].forms == ("CoolTech Fit",)
    assert terms["style", "CoolTech™ Fit"].categories == (("Clothes", "Shirts"),)
    assert set(terms["colour", "navy"].categories) == {
        ("Clothes", "Shirts"),
        ("Clothes", "Trousers"),
    }
    keys = {key for key, _ in terms}
    assert "model" not in keys  # every product has another
    assert "rare" not in keys
    assert terms["size", "M"].forms == ()  # a letter stands in texts for other things
    assert ("size", "42") not in terms
    assert "防水" in terms["selling_point", "waterproof"].forms
    assert ("selling_point", "breathable") in terms  # the lexicon's, everywhere


def test_limits():
    terms = build_vocabulary(examples_of(catalogue()), Limits(products=4)).terms
    assert {term.id for term in terms if not term.is_selling_point} == {("style", "CoolTech™ Fit")}


def test_variants_are_one_product():
    variants = [
        product_of(id=f"v{n}", group="g", attributes={"colour": [colour]})
        for n, colour in enumerate(("black", "white"))
    ]
    (example,) = examples_of(variants)
    assert example.stated == {("colour", "black")}
    parent = product_of(id="g", group="g", titles={"en": "Shirt"})
    (example,) = examples_of([*variants, parent])
    assert example.id == "g"
    assert example.stated == {("colour", "black"), ("colour", "white")}


def test_forms():
    assert value_forms("colour", "Black")[0] == "Black"
    assert value_forms("other", "¼ zip") == ("¼ zip",)
    assert not is_form("12.5 x 3")
    assert not is_form("M")
    assert is_form("红")


def test_products_of_one_description_are_in_one_fold():
    examples = examples_of(
        product_of(id=str(n), descriptions={"en": f"Ball {n % 10}"}) for n in range(40)
    )
    folds = folds_of(examples, 4, 1)
    assert set(folds.tolist()) == {0, 1, 2, 3}
    for at in range(40):
        assert folds[at] == folds[at % 10]
    # Products without a description are each on their own.
    alone = folds_of(examples_of(product_of(id=str(n)) for n in range(40)), 4, 1)
    assert min((alone == fold).sum() for fold in range(4)) == 10
