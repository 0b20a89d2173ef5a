"""That a product is due for reorder is said where the history that is told bears it out."""

import pytest

from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.facts import Claim, Fact, PagePrices, Scene
from services.reason.relations import relation_facts
from services.reason.verify import Verifier
from services.reason.worded import told_to_model
from wherefore.common.v1.product_pb2 import Product
from wherefore.recommend.v1.relation_pb2 import RELATION_KIND_DUE_AGAIN, Relation

DAY = 86_400


def due(times=5, days=33, interval=30):
    return Relation(
        kind=RELATION_KIND_DUE_AGAIN,
        purchase_count=times,
        age_seconds=days * DAY + 7_200.0,
        interval_days=interval,
    )


def scene(*relations):
    product = Product(id="paper", titles={"en": "Copy paper", "zh": "复印纸"})
    return Scene(product, None, None, PagePrices.of([product]), relations=relations)


@pytest.mark.parametrize(
    ("language", "relation", "said"),
    [
        (
            "en",
            due(),
            "Due for reorder, ordered 5 times at a median interval of 30 days, "
            "the last time 33 days ago.",
        ),
        (
            "en",
            due(4, 1, 1),
            "Due for reorder, ordered 4 times at a median interval of 1 day, "
            "the last time 1 day ago.",
        ),
        ("zh", due(), "该补货了，订过5次，间隔的中位数为30天，上一次在33天前。"),
        ("en", due(120, 1_000, 1_200), "120 times at a median interval of 1200 days"),
    ],
)
def test_what_is_said(language, relation, said):
    shown = scene(relation)
    (reason,) = Explainer(Verifier(())).explain(
        ExplainInput([Item(shown.product, relations=[relation])], language=language)
    )
    assert said in reason.text
    assert [claim.code for claim in reason.claims] == ["due_for_reorder"]


@pytest.mark.parametrize(
    ("relation", "value", "cause"),
    [
        (due(), "5 33 30", ""),
        (due(), "6 33 30", "evidence"),
        (due(), "5 34 30", "evidence"),
        (due(), "5 33 29", "evidence"),
        (due(2), "2 33 30", "evidence"),  # of two orders nothing is usual
        (due(5, 20, 30), "5 20 30", "evidence"),  # it is not due
        (due(5, 24, 30), "5 24 30", ""),
        (due(5, 33, 0), "5 33 0", "evidence"),
        (due(), "5 33", "evidence"),
    ],
)
def test_a_claim_is_held_against_the_history(relation, value, cause):
    fact = Fact("due_for_reorder", "relations", value, "", 0.97)
    times, days, *_ = value.split()
    interval = value.split()[-1]
    text = f"ordered {times} times at a median interval of {interval} days, {days} days ago"
    verdict = Verifier(()).check(Claim(text, fact.code, (fact,)), scene(relation), "en")
    assert verdict.cause == cause


def test_other_numbers_than_those_of_the_history_are_not_said():
    (fact,) = relation_facts(scene(due()))
    claim = Claim("ordered 5 times at a median interval of 31 days", fact.code, (fact,))
    assert Verifier(()).check(claim, scene(due()), "en").cause == "number"


def test_a_template_tells_it_where_the_model_cannot():
    (fact,) = relation_facts(scene(due()))
    claims = [
        Claim("due", fact.code, (fact,)),
        Claim("in stock", "in_stock", (Fact("in_stock", "stock.availability", "in stock", "", 1),)),
    ]
    assert told_to_model(claims) == claims
