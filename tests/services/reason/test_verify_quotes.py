"""Quoted values are taken out as words, so that none hides in a banned one."""

from dataclasses import replace

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.facts import Claim, Fact
from services.reason.verify import Verifier
from tests.services.reason.conftest import build_scene
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, QueryUnderstanding


def test_a_short_value_does_not_hide_a_banned_word() -> None:
    scene = build_scene("en")
    scene.product.attributes["product_type"].texts[:] = ["Tee"]
    query = QueryUnderstanding(query="tee", language_code="en")
    query.entities.add(
        type=EntityType.ENTITY_TYPE_PRODUCT_TYPE, text="tee", normalized="tee", end=3
    )
    fact = Fact("product_type_match", "attributes.product_type", "Tee", "tee", 0.8)
    scene = replace(scene, query=query)
    verifier = Verifier(DEFAULT_BANNED_WORDS)
    honest = Claim("Tee, as you searched for", fact.code, (fact,))
    assert verifier.check(honest, scene).cause == ""
    boast = Claim("guaranteed: Tee, as you searched for", fact.code, (fact,))
    assert "banned" in verifier.check(boast, scene).cause
