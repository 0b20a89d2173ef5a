"""The model's reasons clause by clause, as they come: what is told before the rest is known."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.reason.explainer import Explainer, ExplainInput, Item, WrittenReason
from services.reason.facts import Claim, Fact, Scene
from services.reason.generate import VERSION
from services.reason.parts import ClausePart, Lost, Part, ReasonPart
from services.reason.verify import Verifier
from services.reason.worded import WordedExplainer
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from shared.errors import (
    UnavailableError,
)
from tests.services.reason.conftest import NOW
from tests.services.reason.scripted_writer import TRUE, ScriptedWriter, in_stock, progress_of, said
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1.disclosure_pb2 import Disclosure


def parts_of(writer: ScriptedWriter, verifier: Verifier, product: Product) -> list[Part]:
    explainer = Explainer(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, writer, seconds=5, rows=20)
    items = [Item(product), Item(Product(id="bare"))]
    return list(worded.stream(ExplainInput(items, language="en"), by_clause=True))


def discounted() -> Product:
    """A product that two clauses can be said of."""
    product = in_stock("p")
    product.price.currency_code, product.price.amount = "CNY", 80.0
    product.price.list_amount = 100.0
    return product


def test_clauses_are_told_once_they_stand_and_the_reason_follows(verifier):
    words = said("It is 20% off its list price", "in stock today")
    bare, *parts = parts_of(ScriptedWriter(lambda _: words), verifier, discounted())
    assert isinstance(bare, ReasonPart)
    assert bare.index == 1, "what is not asked of the model does not wait for it"
    first, second, whole = parts
    assert isinstance(first, ClausePart)
    assert isinstance(second, ClausePart)
    assert isinstance(whole, ReasonPart)
    assert (first.text, second.text) == ("It is 20% off its list price", ", in stock today")
    assert whole.reason.text == first.text + second.text + "."
    assert list(whole.reason.claims) == [first.claim, second.claim]


def test_what_is_disclosed_stands_behind_the_words_of_the_model(verifier):
    words = said("It is 20% off its list price", "in stock today")
    worded = WordedExplainer(
        Explainer(verifier, clock=lambda: NOW),
        verifier,
        ScriptedWriter(lambda _: words),
        seconds=5,
        rows=20,
    )
    item = Item(discounted(), disclosure=Disclosure(sponsored=True))
    first, second, whole = worded.stream(ExplainInput([item], language="en"), by_clause=True)
    assert isinstance(first, ClausePart)
    assert isinstance(second, ClausePart)
    assert isinstance(whole, ReasonPart)
    assert whole.reason.by_model
    assert whole.reason.text == first.text + second.text + "; sponsored."
    assert [claim.code for claim in whole.reason.claims] == ["discount", "in_stock", "sponsored"]


def test_a_reason_ends_with_the_clauses_told_where_a_later_one_does_not_stand(verifier):
    words = said("It is 20% off its list price", "the best in stock")
    _, first, whole = parts_of(ScriptedWriter(lambda _: words), verifier, discounted())
    assert isinstance(first, ClausePart)
    assert isinstance(whole, ReasonPart)
    assert whole.reason.text == "It is 20% off its list price."
    assert list(whole.reason.claims) == [first.claim]
    assert whole.reason.facts == list(first.claim.facts)
    assert whole.reason.by_model


def test_a_clause_is_that_of_its_evidence_wherever_the_template_tells_what_is_not_asked(verifier):
    """What only tells templates apart may stand before what the model is asked to word."""

    class OwnFirst(Explainer):
        def explain_scenes(self, wanted: ExplainInput) -> Iterator[tuple[Scene, WrittenReason]]:
            for scene, reason in super().explain_scenes(wanted):
                price = Fact("stated_price", "price.amount", "80.0 CNY", "", 0.05)
                own = Claim("priced at ¥80", price.code, (price,))
                yield scene, replace(reason, claims=[own, *reason.claims])

    words = said("It is 20% off its list price", "in stock today")
    writer = ScriptedWriter(lambda _: words)
    explainer = OwnFirst(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, writer, seconds=5, rows=20)
    (reason,) = worded.explain(ExplainInput([Item(discounted())], language="en")).reasons
    assert reason.by_model
    assert [(claim.text, claim.code) for claim in reason.claims] == [
        ("It is 20% off its list price", "discount"),
        ("in stock today", "in_stock"),
    ]
    assert [fact.code for fact in reason.facts] == ["discount", "in_stock"]


def test_nothing_is_told_of_a_reason_whose_first_clause_does_not_stand(verifier):
    words = said("It is 30% off its list price", "in stock today")
    _, whole = parts_of(ScriptedWriter(lambda _: words), verifier, discounted())
    assert isinstance(whole, ReasonPart)
    assert whole.reason.generator == VERSION


def test_the_template_answers_at_once_where_a_clause_does_not_stand(verifier):
    told: list[str] = []

    class Slow(ScriptedWriter):
        def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
            for progress in super().stream(wanted, seconds):
                yield progress
                told.append("read on")

    writer = Slow(lambda _: said("the best in stock", "and more"))
    explainer = Explainer(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, writer, seconds=5, rows=20)
    first = next(worded.stream(ExplainInput([Item(in_stock("p"))], language="en")))
    assert isinstance(first, ReasonPart)
    assert not told


def test_a_model_that_is_lost_on_the_way_leaves_what_it_has_written(verifier):
    class Dying(ScriptedWriter):
        def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
            yield from progress_of(0, said(TRUE))
            raise UnavailableError("gone")

    explainer = Explainer(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, Dying(lambda _: None), seconds=5, rows=20)
    items = [Item(in_stock("p0")), Item(in_stock("p1"))]
    parts = list(worded.stream(ExplainInput(items, language="en")))
    assert [type(part) for part in parts] == [ReasonPart, Lost, ReasonPart]
    page = worded.explain(ExplainInput(items, language="en"))
    assert [reason.by_model for reason in page.reasons] == [True, False]
