"""Evidence of the search, and of the devices that a product is made for."""

from dataclasses import replace

import pytest

from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.facts import Claim, Fact, PagePrices, Scene
from services.reason.recheck import RECHECKS
from services.reason.search_facts import search_facts
from services.reason.standing import standing_facts
from services.reason.verify import Verifier
from services.reason.worded import told_to_model
from tests.services.reason.conftest import build_meaning_scene, build_scene
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import LegScore

LIST = (
    "HP DeskJet 460, 460c / Canon EOS 2000D\\n- SureColor SC-T7200; DCP-130C (Europe), Windows 10"
)


def scene_of(query: str, listed: str = LIST, key: str = "compatibility") -> Scene:
    product = Product(id="p", titles={"en": "Ink cartridge"})
    product.attributes[key].texts.append(listed)
    return Scene(product, QueryUnderstanding(query=query), None, PagePrices({}))


@pytest.mark.parametrize(
    ("query", "device", "named"),
    [
        ("ink for hp deskjet 460", "HP DeskJet 460", "hp deskjet 460"),
        ("eos 2000d battery", "Canon EOS 2000D", "eos 2000d"),
        ("2000D battery", "Canon EOS 2000D", "2000D"),
        ("兄弟dcp130c墨盒", "DCP-130C", "dcp130c"),
        ("SC-T7200 ink", "SureColor SC-T7200", "SC-T7200"),
    ],
)
def test_the_device_that_the_query_names_is_found_in_the_list(
    query: str, device: str, named: str
) -> None:
    scene = scene_of(query)
    (fact,) = search_facts(scene)
    assert (fact.code, fact.value, fact.meets) == ("compatible_with", device, named)
    assert RECHECKS["compatible_with"](fact, scene)
    assert not RECHECKS["compatible_with"](fact, scene_of("ink"))
    assert not RECHECKS["compatible_with"](fact, scene_of(query, "Something else 12"))
    assert not RECHECKS["compatible_with"](fact._replace(value=named + "0"), scene)


@pytest.mark.parametrize(
    "query", ["ink for printer", "460", "deskjet ink", "eos 2000", "dcp-130 ink", "2000dx"]
)
def test_a_number_or_a_part_of_a_name_names_no_device(query: str) -> None:
    assert list(search_facts(scene_of(query))) == []


def test_operating_systems_are_no_devices() -> None:
    key = "compatible_operating_systems"
    assert list(search_facts(scene_of("windows 10", key=key))) == []


def test_near_in_meaning_is_said_where_no_word_is_shared() -> None:
    scene = build_meaning_scene()
    (fact,) = search_facts(scene)
    assert (fact.code, fact.value) == ("meaning_match", "2")
    recheck = RECHECKS["meaning_match"]
    assert recheck(fact, scene)
    scene.product.titles["en"] = "Rucksack"
    assert not list(search_facts(scene))
    assert not recheck(fact, scene)


@pytest.mark.parametrize(
    "legs",
    [
        [],
        [LegScore(leg="dense", rank=11, score=0.6)],
        [LegScore(leg="dense", rank=2, score=0.2)],
        [LegScore(leg="dense", rank=2, score=0.6), LegScore(leg="sparse", rank=90)],
    ],
)
def test_what_words_found_or_stands_far_down_is_not_near_in_meaning(legs: list[LegScore]) -> None:
    told = build_meaning_scene()
    (fact,) = search_facts(told)
    scene = replace(told, legs=legs)
    assert not list(search_facts(scene))
    assert not RECHECKS["meaning_match"](fact, scene)


def pictured(rank: int, words: str = "") -> Scene:
    legs = [LegScore(leg="picture", rank=rank, score=0.4)]
    return replace(build_scene(), query=QueryUnderstanding(query=words), legs=legs)


def test_the_place_by_pictures_is_told_with_words_and_without() -> None:
    for words in ("", "backpack"):
        scene = pictured(3, words)
        (fact,) = (each for each in search_facts(scene) if each.code == "picture_match")
        assert (fact.source, fact.value, fact.meets) == ("legs.picture", "3", "")
        assert RECHECKS["picture_match"](fact, scene)


@pytest.mark.parametrize("scene", [pictured(11), pictured(4), replace(pictured(3), legs=[])])
def test_another_place_by_pictures_or_none_is_no_evidence(scene: Scene) -> None:
    (fact,) = search_facts(pictured(3))
    assert not RECHECKS["picture_match"](fact, scene)
    told = [each.value for each in search_facts(scene)]
    assert told == [str(leg.rank) for leg in scene.legs if leg.rank <= 10]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "In place 3 by how close its pictures come to your search."),
        ("zh", "按图片与您所找的接近程度列第3位。"),
    ],
)
def test_a_reason_says_the_place_and_no_other(language: str, said: str) -> None:
    product = Product(id="cup", titles={"en": "Cup", "zh": "杯子"})
    legs = [LegScore(leg="picture", rank=3, score=0.4)]
    wanted = ExplainInput([Item(product, legs=legs)], language=language)
    (reason,) = Explainer(Verifier(())).explain(wanted)
    assert reason.text == said
    (claim,) = reason.claims
    scene = Scene(product, None, None, PagePrices.of([product]), legs=legs)
    for text in (claim.text.replace("3", "2"), claim.text + " 5"):
        verdict = Verifier(()).check(replace(claim, text=text), scene, language)
        assert verdict.cause == "number"
    # The language model has not learnt to say it: a template does, and nothing leaves it out.
    in_stock = Claim(
        "in stock", "in_stock", (Fact("in_stock", "stock.availability", "in stock", "", 1),)
    )
    assert told_to_model([claim, in_stock]) == [claim, in_stock]


def test_chosen_is_told_of_the_leg_alone() -> None:
    scene = build_scene()
    fact = next(f for f in search_facts(scene) if f.code == "chosen_before")
    assert RECHECKS["chosen_before"](fact, scene)
    assert not RECHECKS["chosen_before"](fact, replace(scene, legs=scene.legs[:2]))
    assert not RECHECKS["chosen_before"](
        fact, replace(scene, query=QueryUnderstanding(query="another"))
    )


@pytest.mark.parametrize(
    ("dearer", "compared", "currency", "told"),
    [(36, 45, "CNY", True), (20, 45, "CNY", False), (7, 8, "CNY", False), (36, 45, "EUR", False)],
)
def test_few_rivals_half_of_them_or_another_currency_prove_no_good_price(
    dearer: int, compared: int, currency: str, *, told: bool
) -> None:
    scene = build_scene()
    standing = scene.price_standing
    assert standing is not None
    standing.dearer_count, standing.compared_count = dearer, compared
    standing.currency_code = currency
    facts = [f for f in standing_facts(scene) if f.code == "price_in_category"]
    assert bool(facts) == told
    for fact in facts:
        assert RECHECKS[fact.code](fact, scene)
        standing.dearer_count -= 1
        assert not RECHECKS[fact.code](fact, scene)
