import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.evaluation.attacks import facts_of
from services.reason.facts import Claim, Scene
from services.reason.generate import claim
from services.reason.templates import TEMPLATES
from services.reason.verify import Verifier, faithfulness

VERIFIER = Verifier(DEFAULT_BANNED_WORDS)


def claims_of(scene: Scene, language: str) -> list[Claim]:
    facts = facts_of(scene, language)
    return [claim(fact, language, f"p{i}") for fact in facts for i in range(8)]


@pytest.fixture(params=["en", "zh"])
def written(request, make_scene):
    scene = make_scene(request.param)
    return scene, claims_of(scene, request.param)


def test_what_the_generator_writes_of_facts_stands(written):
    scene, claims = written
    assert [(c.text, v.cause) for c in claims if not (v := VERIFIER.check(c, scene)).holds] == []
    assert faithfulness([(c, scene) for c in claims], VERIFIER) == 1.0


def test_every_number_in_a_text_matters(written):
    """Each number outside a quoted title, changed by one digit, must be rejected."""
    scene, claims = written
    changed = 0
    for original in claims:
        for found in re.finditer(r"\d", original.text):
            digit = str((int(found[0]) + 1) % 10)
            text = original.text[: found.start()] + digit + original.text[found.end() :]
            changed += 1
            assert not VERIFIER.check(replace(original, text=text), scene).holds, text
    assert changed > 50


def test_every_number_in_evidence_matters(written):
    scene, claims = written
    for original in claims:
        fact = original.facts[0]
        for name in ("value", "meets"):
            value = getattr(fact, name)
            for found in re.finditer(r"\d", value):
                digit = str((int(found[0]) + 1) % 10)
                wrong = value[: found.start()] + digit + value[found.end() :]
                bad = replace(original, facts=(fact._replace(**{name: wrong}),))
                assert not VERIFIER.check(bad, scene).holds, (original.code, name, wrong)


@given(word=st.text(min_size=1, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_value_passes_for_a_fact(make_scene, word):
    scene = make_scene("en")
    for original in claims_of(scene, "en")[::8]:
        fact = original.facts[0]
        assume(word != fact.value)
        bad = replace(original, facts=(fact._replace(value=word),))
        assert not VERIFIER.check(bad, scene).holds


@pytest.mark.parametrize(
    ("code", "text", "cause"),
    [
        ("attribute_match", "red, as you asked", "value"),
        ("attribute_match", "not black, as you asked", "negation"),
        ("exclusion_met", "black and red", "negation"),
        ("exclusion_met", "black, not blue", "value"),
        ("price_fit", "at ¥299 for your ¥500", "comparative"),
        ("price_fit", "at ¥199, within your ¥500", "number"),
        ("well_reviewed", "the lowest, rated 4.7 from 1,320 reviews", "comparative"),
        ("well_reviewed", "the best, rated 4.7 from 1,320 reviews", "banned"),
        ("well_reviewed", "rated 4.8 from 1,320 reviews", "number"),
        ("popular", "bought 120 times in 7 days", "number"),
        ("popular", "最受欢迎，30天内售出120件", "banned"),
        ("in_stock", "in stock, 100% sure", "banned"),
        ("in_stock", "in stock, clinically proven", "banned.medical"),
        ("brand_affinity", "from Thule, a brand you often look at", "banned.quantity"),
        ("in_stock", "in stock, call 555-123-4567", "personal_data"),
        ("in_stock", "in stock, 现货", "language"),
        ("praised_quality", "41 reviews praise the quality", "number"),
        ("praised_quality", "45 of 41 reviews on it praise the quality", "number"),
        ("bought_together", 'bought together with "Tent" by 37 customers', "value"),
        ("bought_together", 'bought together with "Rain cover XT 40" by 38 customers', "number"),
        ("fits_yours", 'fits your "Tent"', "value"),
        ("similar_to", 'similar to "Tent"', "value"),
        ("same_brand", 'similar to "Tent", also from Thule', "value"),
        ("same_brand", 'similar to "Rain cover XT 40", also from Osprey', "value"),
        ("better_rated", 'rated 4.7, like the 4.2 of "Rain cover XT 40"', "comparative"),
        ("bought_before", "you bought it 41 days ago", "number"),
        ("better_rated", 'rated 40, above the 4.2 of "Rain cover XT 40"', "number"),
        ("bought_together", '40 customers bought it together with "Rain cover XT 40"', "number"),
        ("fits_yours", 'fits your "Rain cover XT 40" for 40', "number"),
    ],
)
def test_words_that_go_beyond_the_evidence(make_scene, code, text, cause):
    scene = make_scene()
    original = next(c for c in claims_of(scene, "en") if c.code == code)
    assert VERIFIER.check(replace(original, text=text), scene).cause == cause


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda s: s.product.attributes["colour"].texts.append("red"), "exclusion_met"),
        (lambda s: s.product.attributes.pop("colour"), "exclusion_met"),
        (lambda s: s.query.constraints.pop(), "exclusion_met"),
        (lambda s: s.product.attributes.pop("material"), "attribute_match"),
        (lambda s: setattr(s.query.entities[2], "negated", True), "attribute_match"),
        (lambda s: setattr(s.product.price, "amount", 501), "price_fit"),
        (lambda s: s.query.constraints.pop(0), "price_fit"),
        (
            lambda s: s.page.by_currency.update(CNY=(1.0, 299.0, 3e2, 4e2, 5e2)),
            "lowest_price_on_page",
        ),
        (lambda s: setattr(s.product.price, "list_amount", 310), "discount"),
        (lambda s: s.user.recent_products.pop(), "because_you_viewed"),
        (lambda s: setattr(s.user.recent_products[0], "action", "purchase"), "because_you_viewed"),
        (lambda s: s.user.brand_affinities.clear(), "brand_affinity"),
        (lambda s: s.product.titles.pop("en"), "title_match"),
        (lambda s: setattr(s.relations[0], "customer_count", 36), "bought_together"),
        (lambda s: setattr(s.relations[2], "owned", False), "fits_yours"),
        (lambda s: s.relations.pop(3), "fits"),
        (lambda s: setattr(s.relations[6], "evidence", "4.8"), "better_rated"),
        (lambda s: setattr(s.relations[9], "evidence", "Osprey"), "same_brand"),
        (lambda s: setattr(s.product, "brand", "Osprey"), "same_brand"),
        (lambda s: s.relations.pop(9), "similar_to"),
        (lambda s: setattr(s.relations[7], "age_seconds", 0), "bought_before"),
        (lambda s: setattr(s.product.stock, "availability", 2), "in_stock"),
        (lambda s: setattr(s.product.release_time, "seconds", int(s.now) - 86_400), "new_arrival"),
    ],
)
def test_a_world_that_changed_takes_the_claim_away(make_scene, change, code):
    """The verifier reads the product, query, user and page, not the evidence's word for them."""
    scene = make_scene()
    chosen = [
        c
        for c in claims_of(scene, "en")
        if c.code == code and (code != "attribute_match" or "canvas" in c.facts[0].value)
    ]
    assert chosen
    assert all(VERIFIER.check(c, scene).holds for c in chosen)
    change(scene)
    assert {VERIFIER.check(c, scene).cause for c in chosen} == {"evidence"}


def test_a_title_with_a_phone_number_is_not_quoted(make_scene):
    scene = make_scene()
    scene.user.recent_products[0].title = "Trail pack, Tel: 02079460958"
    original = next(c for c in claims_of(scene, "en") if c.code == "because_you_viewed")
    assert VERIFIER.check(original, scene, "en").cause == "personal_data"


def test_a_quoted_title_may_be_of_another_language(make_scene):
    scene = make_scene()
    scene.user.recent_products[0].title = "户外背包"
    original = next(c for c in claims_of(scene, "en") if c.code == "because_you_viewed")
    assert VERIFIER.check(original, scene, "en").holds
    assert (
        VERIFIER.check(replace(original, text="户外背包，您看过"), scene, "en").cause == "language"
    )


def test_codes_cannot_be_borrowed(written):
    scene, claims = written
    by_code = {c.code: c for c in claims}
    for code in by_code:
        for other in by_code.values():
            if other.code != code:
                assert VERIFIER.check(replace(other, code=code), scene).cause == "unknown_code"


def test_a_claim_without_evidence_or_of_an_unknown_code(make_scene):
    scene = make_scene()
    first = claims_of(scene, "en")[0]
    assert VERIFIER.check(replace(first, facts=()), scene).cause == "no_evidence"
    unknown = first.facts[0]._replace(code="miracle")
    assert VERIFIER.check(Claim("x", "miracle", (unknown,)), scene).cause == "unknown_code"


def test_a_products_own_words_are_not_banned(make_scene):
    scene = make_scene()
    scene.product.brand = "Best"
    scene.query.query = "best backpack"
    scene.query.entities[0].text = scene.query.entities[0].normalized = "best"
    original = next(c for c in claims_of(scene, "en") if c.code == "brand_match")
    assert VERIFIER.check(original, scene).holds


def test_templates_hold_no_banned_words():
    for by_code in TEMPLATES.values():
        for variants in by_code.values():
            for variant in variants:
                assert not any(word in variant.lower() for word in DEFAULT_BANNED_WORDS), variant
