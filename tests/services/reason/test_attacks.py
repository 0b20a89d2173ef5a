"""False claims made from true ones: the verifier lets none pass."""

from collections import Counter
from dataclasses import replace

import pytest

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.evaluation.attacks import attacks, facts_of
from services.reason.facts import PagePrices, Scene
from services.reason.generate import claim
from services.reason.verify import Verifier
from tests.services.reason.conftest import build_product, build_scene


def other_scenes() -> list[Scene]:
    """Products that share nothing with the scene's own."""
    made: list[Scene] = []
    for number, (colour, material, brand) in enumerate(
        [("white", "steel", "Acme"), ("green", "glass", "Bolder")]
    ):
        product = build_product(f"x{number}", 512.5 + number)
        product.brand = brand
        for key, value in (("colour", colour), ("material", material)):
            del product.attributes[key].texts[:]
            product.attributes[key].texts.append(value)
        product.review_summary.average_rating = 4.15
        product.statistics.purchase_count = 77
        page = PagePrices.of([product, build_product("y", 900.0), build_product("z", 901.0)])
        made.append(replace(build_scene(), product=product, page=page, relations=()))
    return made


@pytest.mark.parametrize("language", ["en", "zh"])
def test_false_claims_are_rejected_and_true_ones_stand(language: str) -> None:
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    scene = build_scene(language)
    for fact in facts_of(scene, language):
        verdict = verifier.check(claim(fact, language, scene.product.id), scene)
        assert verdict.holds, (fact, verdict.cause)
    made = list(attacks(scene, other_scenes(), language))
    passed = [(a.kind, a.claim.text) for a in made if verifier.check(a.claim, a.scene).holds]
    assert passed == []
    kinds = Counter(attack.kind for attack in made)
    assert len(made) > 150
    assert {
        "comparison turned round", "denied", "superlative", "denial lost", "number changed",
        "number changed in the words", "under another code", "history of nobody",
        "guarantee", "medical claim", "quantity without a number", "personal data", "abuse",
        "another language", "phone in a quoted title", "part and whole swapped",
        "of another query", "evidence of another scene", "value swapped",
    } <= set(kinds)  # fmt: skip
