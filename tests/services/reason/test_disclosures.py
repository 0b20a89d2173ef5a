"""What the shop did to a product's place, and how much there is left."""

from dataclasses import replace

import pytest

from services.reason.clauses import say
from services.reason.disclosures import disclosures, running_low
from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.facts import Claim, Fact
from services.reason.messages import write_reason
from services.reason.recheck import RECHECKS
from services.reason.verify import Verifier
from tests.services.reason.conftest import build_scene
from wherefore.common.v1.product_pb2 import (
    AVAILABILITY_IN_STOCK,
    AVAILABILITY_OUT_OF_STOCK,
    Product,
)
from wherefore.reason.v1.disclosure_pb2 import Disclosure
from wherefore.reason.v1.reason_pb2 import Reason


def cup(quantity=3):
    product = Product(id="cup", titles={"en": "Steel cup", "zh": "不锈钢杯"}, brand="Acme")
    product.price.currency_code, product.price.amount = "EUR", 12.0
    product.stock.availability = AVAILABILITY_IN_STOCK
    product.stock.quantity = quantity
    product.review_summary.average_rating, product.review_summary.rating_count = 4.5, 120
    return product


def scene(disclosure, quantity=3):
    return replace(build_scene(), product=cup(quantity), disclosure=disclosure)


def reason(disclosure, language, product=None, verifier=None):
    items = [Item(product or cup(), disclosure=disclosure)]
    explainer = Explainer(verifier or Verifier(()))
    (written,) = explainer.explain(ExplainInput(items, language=language))
    message = Reason()
    write_reason(message, written)
    return message


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_runs_low_where_the_units_suffice_for_a_week(language):
    for daily, low in ((0.5, True), (3 / 7, True), (0.4, False)):
        told = list(running_low(scene(Disclosure(daily_demand=daily))))
        assert bool(told) is low
        for fact in told:
            claim = Claim(say(fact, language, "cup"), fact.code, (fact,))
            assert Verifier(()).check(claim, scene(Disclosure(daily_demand=daily)), language).holds


@pytest.mark.parametrize(("quantity", "low"), [(10, True), (11, False)])
def test_many_units_are_not_low_however_fast_they_go(quantity, low):
    fast = scene(Disclosure(daily_demand=50.0), quantity)
    assert bool(list(running_low(fast))) is low
    claimed = Fact("running_low", "stock.quantity", str(quantity), "", 0.38)
    assert RECHECKS["running_low"](claimed, fast) is low


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_is_not_said_unless_it_is_so_and_allowed(language):
    allowed = scene(Disclosure(daily_demand=2.0))
    (fact,) = running_low(allowed)
    words = say(fact, language, "cup")
    sold_out = scene(Disclosure(daily_demand=2.0))
    sold_out.product.stock.availability = AVAILABILITY_OUT_OF_STOCK
    unsaid = scene(Disclosure(daily_demand=2.0))
    unsaid.product.stock.ClearField("quantity")
    for other in (
        scene(None),
        scene(Disclosure()),
        scene(Disclosure(daily_demand=0.0)),
        scene(Disclosure(daily_demand=2.0), quantity=15),
        scene(Disclosure(daily_demand=50.0), quantity=11),
        sold_out,
        unsaid,
    ):
        assert not list(running_low(other))
        assert not Verifier(()).check(Claim(words, fact.code, (fact,)), other, language).holds
    wrong = Claim(words.replace("3", "1"), fact.code, (fact,))
    assert Verifier(()).check(wrong, allowed, language).cause == "number"
    assert not RECHECKS["running_low"](fact._replace(value="2"), allowed)
    assert not RECHECKS["running_low"](fact._replace(source="stock.availability"), allowed)


@pytest.mark.parametrize(("language", "words"), [("en", "running low"), ("zh", "库存不多")])
def test_a_reason_says_that_it_runs_low_in_place_of_in_stock(language, words):
    told = reason(Disclosure(daily_demand=1.0), language)
    assert words in told.text
    assert "running_low" in told.codes
    assert "in_stock" not in told.codes


@pytest.mark.parametrize(
    ("language", "sponsored", "overstock"),
    [("en", "; sponsored", "; its ample stock counts"), ("zh", "；广告", "；充足的库存")],
)
def test_what_the_shop_did_is_said_and_the_true_part_stays(language, sponsored, overstock):
    plain = reason(None, language)
    told = reason(Disclosure(sponsored=True, overstock=True), language)
    assert told.text.startswith(plain.text[:-1] + sponsored)
    assert overstock in told.text
    assert list(told.codes) == ["sponsored", "overstock", *plain.codes]
    assert told.clauses[:-2] == plain.clauses
    known = {each.id: each.code for each in told.evidence}
    for clause in told.clauses:
        assert [known[each] for each in clause.evidence_ids] == [clause.code]
        assert clause.text in told.text


@pytest.mark.parametrize(("language", "text"), [("en", "Sponsored."), ("zh", "广告。")])
def test_it_is_said_where_nothing_else_can_be(language, text):
    told = reason(Disclosure(sponsored=True), language, Product(id="p", titles={"en": "x"}))
    assert (told.text, list(told.codes)) == (text, ["sponsored"])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_list_of_banned_words_hides_it(language):
    banned = Verifier(("sponsored", "广告"))
    told = reason(Disclosure(sponsored=True), language, verifier=banned)
    assert told.codes[0] == "sponsored"


def test_nobody_can_claim_it_of_a_product_of_which_it_is_not_so():
    (claim,) = disclosures(scene(Disclosure(sponsored=True)), "en")
    assert Verifier(()).check(claim, scene(Disclosure(sponsored=True)), "en").holds
    assert not Verifier(()).check(claim, scene(Disclosure(overstock=True)), "en").holds
    assert not Verifier(()).check(claim, scene(None), "en").holds
    assert disclosures(scene(None), "en") == disclosures(scene(Disclosure()), "zh") == []
