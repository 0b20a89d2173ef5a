"""Quoted values are taken out as words, so that none hides in a banned one."""

from dataclasses import replace

import pytest

from services.reason.clauses import say_variant
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


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('its title names "Steel Kettle"', ""),
        ("its title names “Steel Kettle”", ""),
        ("its title names Steel Kettle", ""),
        ('its title names "Steel Kettle "', "value"),
        ('its title names "a Steel Kettle"', "value"),
        ('its title names Steel Kettle and "more"', "value"),
        ('its title names "Steel Kettle', "value"),
        ("its title names ”Steel Kettle“", "value"),
    ],
)
def test_quotation_marks_hold_what_the_evidence_holds_and_nothing_else(
    text: str, cause: str
) -> None:
    scene = build_scene("en")
    scene.product.titles["en"] = "Steel Kettle, 2 L"
    query = QueryUnderstanding(query="steel kettle", language_code="en")
    fact = Fact("title_match", "titles.en", "Steel Kettle", "steel kettle", 0.6)
    verdict = Verifier(DEFAULT_BANNED_WORDS).check(
        Claim(text, fact.code, (fact,)), replace(scene, query=query), "en"
    )
    assert verdict.cause == cause


def test_a_kind_is_named_by_the_word_that_was_asked_for() -> None:
    fact = Fact("product_type_match", "attributes.product_type", "Notebook", "laptop", 0.8)
    assert say_variant(fact, "en", 0) == "laptop, the kind you searched for"
    assert say_variant(fact, "zh", 0) == "正是您要找的笔记本电脑"
