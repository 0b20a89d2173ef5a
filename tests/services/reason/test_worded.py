"""The model's reasons: what is served, what the template answers, and what is counted."""

from collections.abc import Iterator, Sequence

import pytest

from services.reason.explainer import Explainer, ExplainInput, Item
from services.reason.generate import VERSION
from services.reason.onnx_writer import OnnxWriter
from services.reason.worded import WordedExplainer, seed_of
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.rendering import SaidReason
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
from tests.services.reason.scripted_writer import (
    TRUE,
    ScriptedWriter,
    counted,
    in_stock,
    page_of,
    progress_of,
    said,
)
from wherefore.common.v1.product_pb2 import Product


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
