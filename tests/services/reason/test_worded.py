"""The model's reasons: what is served, what the template answers, and what is counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.reason.explainer import Explainer, ExplainInput, Item, WrittenReason
from services.reason.facts import Claim, Fact, Scene
from services.reason.generate import VERSION
from services.reason.onnx_writer import OnnxWriter
from services.reason.parts import ClausePart, Lost, Part, ReasonPart
from services.reason.verify import Verifier
from services.reason.worded import MODEL_REASONS, WordedExplainer, seed_of
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.rendering import SaidClause, SaidReason
from services.reason.wording.served import SERVED_GRAPH
from services.reason.writer import VERSION_FOLDER
from shared.deadline import Deadline, set_current_deadline
from shared.errors import (
    CircuitOpenError,
    DeadlineExceededError,
    InvalidArgumentError,
    ResourceExhaustedError,
    UnavailableError,
)
from shared.inference.settings import REPOSITORY
from tests.services.reason.conftest import NOW, build_product, build_query
from wherefore.common.v1.product_pb2 import Availability, Product

Say = Callable[[Wanted], SaidReason | None]
TRUE = "You will find it in stock"


def said(*clauses: str) -> SaidReason:
    text = ", ".join(clauses) + "."
    return SaidReason(text, tuple(SaidClause(at, clause) for at, clause in enumerate(clauses)))


@dataclass
class ScriptedWriter:
    """Says what a test has it say; keeps what it was asked."""

    say: Say
    known: bool = True
    version: str = "scripted@7"
    asked: list[Wanted] = field(default_factory=list[Wanted])

    def knows(self, wanted: Wanted) -> bool:
        return self.known

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        self.asked += wanted
        for row, one in enumerate(wanted):
            reason = self.say(one)
            if reason is None:
                yield Progress(row, failed=True)
            else:
                yield from progress_of(row, reason)

    def close(self) -> None:
        pass


def progress_of(row: int, reason: SaidReason) -> Iterator[Progress]:
    """A reason clause by clause, as a writer tells it."""
    for count, clause in enumerate(reason.clauses, start=1):
        end = reason.text.index(clause.text) + len(clause.text)
        yield Progress(row, closed=SaidReason(reason.text[:end] + ",", reason.clauses[:count]))
    yield Progress(row, closed=reason, reason=reason)


def in_stock(product_id: str) -> Product:
    product = Product(id=product_id)
    product.stock.availability = Availability.AVAILABILITY_IN_STOCK
    return product


def page_of(writer: ScriptedWriter, verifier: Verifier, count: int = 1, rows: int = 20):
    explainer = Explainer(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, writer, seconds=5, rows=rows)
    wanted = ExplainInput([Item(in_stock(f"p{i}")) for i in range(count)], language="en")
    return worded.explain(wanted), list(explainer.explain(wanted))


def counted(outcome: str) -> float:
    return MODEL_REASONS.labels(outcome)._value.get()  # pyright: ignore[reportPrivateUsage]


def test_a_reason_that_stands_is_the_models_with_the_evidence_of_its_clauses(verifier):
    page, (template,) = page_of(ScriptedWriter(lambda _: said(TRUE)), verifier)
    (reason,) = page.reasons
    assert (reason.text, reason.generator, reason.by_model) == (TRUE + ".", "scripted@7", True)
    assert [(c.text, c.code) for c in reason.claims] == [(TRUE, "in_stock")]
    assert reason.facts == template.facts
    assert not template.by_model


@pytest.mark.parametrize(
    ("say", "known", "outcome"),
    [
        (lambda _: None, True, "unfinished"),
        (lambda _: said("the best in stock"), True, "banned"),
        (lambda _: said("500 in stock"), True, "number"),
        (lambda _: said("not in stock"), True, "negation"),
        (lambda _: said(TRUE), False, "unknown_kind"),
    ],
)
def test_the_template_answers_where_the_model_does_not(verifier, say, known, outcome):
    before = counted(outcome)
    page, templates = page_of(ScriptedWriter(say, known), verifier)
    assert list(page.reasons) == templates
    assert page.reasons[0].generator == VERSION
    assert counted(outcome) == before + 1


def test_a_lost_model_is_named_and_all_reasons_are_templates(verifier):
    def lost(_: Wanted) -> SaidReason:
        raise UnavailableError("gone")

    page, templates = page_of(ScriptedWriter(lost), verifier, count=3)
    assert list(page.reasons) == templates
    assert page.lost is not None
    assert page.lost.message == "gone"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "late"),
        (ResourceExhaustedError("busy"), "overloaded"),
        (CircuitOpenError("x"), "lost"),
    ],
)
def test_what_the_model_had_no_time_for_is_told_with_the_cause(verifier, error, outcome):
    class Halfway(ScriptedWriter):
        def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
            yield from progress_of(0, said(TRUE))
            if error is not None:
                raise error

    before = counted(outcome)
    page, templates = page_of(Halfway(lambda _: None), verifier, count=2)
    assert [reason.by_model for reason in page.reasons] == [True, False]
    assert page.reasons[1] == templates[1]
    assert counted(outcome) == before + 1
    assert page.lost is not None
    if error is None:
        assert isinstance(page.lost, DeadlineExceededError)
        assert page.lost.message == "1 of 2 reasons came too late"
    else:
        assert page.lost is error


def test_a_model_that_found_no_words_was_not_lost(verifier):
    page, _ = page_of(ScriptedWriter(lambda _: None), verifier)
    assert page.lost is None


def test_a_text_that_stands_already_is_drawn_again_and_then_left_to_the_template(verifier):
    writer = ScriptedWriter(lambda _: said(TRUE))
    page, templates = page_of(writer, verifier, count=2)
    assert [reason.by_model for reason in page.reasons] == [True, False]
    assert page.reasons[1] == templates[1]
    first, second, drawn_again = writer.asked
    assert len({first.seed, second.seed, drawn_again.seed}) == 3

    words = iter([TRUE, TRUE, "it is in stock today"])
    page, _ = page_of(ScriptedWriter(lambda _: said(next(words))), verifier, count=2)
    assert [reason.text for reason in page.reasons] == [TRUE + ".", "it is in stock today."]


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


@pytest.mark.parametrize(("left", "given"), [(0.12, 0.08), (30, 5), (0.01, 0)])
def test_the_model_gets_no_more_time_than_the_caller_has(verifier, left, given):
    asked: list[float] = []

    class Timed(ScriptedWriter):
        def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
            asked.append(seconds)
            return super().stream(wanted, seconds)

    set_current_deadline(Deadline.after(left, clock=lambda: 0.0))
    try:
        explainer = Explainer(verifier, clock=lambda: NOW)
        worded = WordedExplainer(
            explainer,
            verifier,
            Timed(lambda _: said(TRUE)),
            seconds=5,
            rows=20,
            clock=lambda: 0.0,
        )
        worded.explain(ExplainInput([Item(in_stock("p"))], language="en"))
    finally:
        set_current_deadline(Deadline.unlimited())
    assert asked == [pytest.approx(given)]


def test_only_the_top_of_a_page_is_asked_of_the_model(verifier):
    numbers = iter(["one", "two", "three"])
    writer = ScriptedWriter(lambda _: said(f"in stock, choice {next(numbers)}"))
    page, _ = page_of(writer, verifier, count=3, rows=2)
    assert [reason.by_model for reason in page.reasons] == [True, True, False]
    assert len(writer.asked) == 2


def test_a_product_without_evidence_is_not_asked_of_the_model(verifier):
    writer = ScriptedWriter(lambda _: said(TRUE))
    explainer = Explainer(verifier, clock=lambda: NOW)
    worded = WordedExplainer(explainer, verifier, writer, seconds=5, rows=20)
    page = worded.explain(ExplainInput([Item(Product(id="bare"))]))
    assert page.reasons[0].text == ""
    assert not writer.asked


def test_bad_input_is_refused_as_without_a_model(verifier):
    with pytest.raises(InvalidArgumentError):
        page_of(ScriptedWriter(lambda _: None), verifier, count=0)


def test_the_seed_depends_on_product_query_language_and_draw(make_scene):
    scene = make_scene()
    seeds = {seed_of(scene, "en", 0), seed_of(scene, "zh", 0), seed_of(scene, "en", 1)}
    assert len(seeds) == 3
    assert seed_of(make_scene(), "en", 0) in seeds
    assert seed_of(make_scene("zh"), "en", 0) not in seeds


def test_a_model_without_a_graph_says_what_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="make models"):
        OnnxWriter(tmp_path, ())


@pytest.mark.skipif(
    not (REPOSITORY / "reason_small" / VERSION_FOLDER / SERVED_GRAPH).is_file(),
    reason="`make models` has made no graph yet",
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_models_page_stands_varies_and_is_the_same_again(verifier, language):
    explainer = Explainer(verifier, clock=lambda: NOW)
    writer = OnnxWriter(REPOSITORY / "reason_small", ("best", "最"), 1)
    items = [Item(build_product(f"p{i}", 200.0 + i)) for i in range(10)]
    wanted = ExplainInput(items, build_query(language), None, language, 3)
    page = WordedExplainer(explainer, verifier, writer, seconds=30, rows=20).explain(wanted)
    again = WordedExplainer(explainer, verifier, writer, seconds=30, rows=20).explain(wanted)
    assert page == again
    assert len({reason.text for reason in page.reasons}) == 10
    ours = [reason for reason in page.reasons if reason.by_model]
    assert len(ours) >= 8
    assert {reason.generator for reason in ours} == {"reason_small@1"}
    # No time: templates alone.
    late = WordedExplainer(explainer, verifier, writer, seconds=0, rows=20).explain(wanted)
    assert not any(reason.by_model for reason in late.reasons)
