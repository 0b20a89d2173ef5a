import numpy as np
import pytest

from services.assistant.domain import Message
from services.assistant.help import read_help
from services.assistant.knowledge import Knowledge, label_of
from services.assistant.learnt import Source, learn
from services.assistant.matching import Match, Matcher, MatcherWeights, read_weights
from services.assistant.templates import read_templates
from shared.errors import InvalidArgumentError
from tests.services.assistant.standing_in import vector_of


def test_the_shops_templates_cover_every_intent_in_both_languages() -> None:
    templates = read_templates()
    assert len(templates.by_id) >= 50
    intents = {template.intent for template in templates.by_id.values()}
    assert len(intents) == 27
    for template in templates.by_id.values():
        for language in ("en", "zh"):
            filled = templates.fill(template, language, dict.fromkeys(template.slots, "1"))
            assert "{" not in filled


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("facts:\n  days: {en: a, zh: b}", "facts:\n  days: {en: a}", "facts.days"),
        ("id: b", "id: a", "twice"),
        ("answer: in {days}", "answer: in {weeks}", "weeks"),
        ("slots: [order]", "slots: [invoice]", "invoice"),
        ("questions: [q]", "questions: []", "questions"),
    ],
)
def test_a_file_that_is_wrong_is_refused_by_the_place(
    tmp_path, old: str, new: str, named: str
) -> None:
    text = """
facts:
  days: {en: a, zh: b}
slots:
  order: {kind: order, en: which, zh: 哪}
templates:
- id: a
  slots: [order]
  en: {questions: [q], answer: in {days}}
  zh: {questions: [问], answer: 答}
- id: b
  en: {questions: [r], answer: b}
  zh: {questions: [题], answer: 答}
""".replace("answer: in {days}", 'answer: "in {days}"')
    path = tmp_path / "templates.yaml"
    path.write_text(text, "utf-8")
    assert set(read_templates(path).by_id) == {"a", "b"}
    old = old.replace("answer: in {days}", 'answer: "in {days}"')
    new = new.replace("answer: in {weeks}", 'answer: "in {weeks}"')
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ValueError, match=named):
        read_templates(path)


def test_an_accepted_question_finds_its_answer_again(knowledge: Knowledge) -> None:
    odd = Message("bring the thing with wheels to granny", "en", "support", {}, None)
    assert not knowledge.match(odd)[0].sure
    knowledge.add([learn(odd.text, answer_id="change_address", source=Source.ACCEPTED)])
    best = knowledge.match(
        Message(odd.text, "en", "support", {"change_shipping_address": 0.9}, None)
    )[0]
    assert best.answer_id == "change_address"
    assert best.sure


def test_a_correction_takes_the_place_of_what_was_learnt_before(knowledge: Knowledge) -> None:
    question = "do you sharpen knives"
    for answer in ("Yes, on Mondays.", "No, we do not."):
        knowledge.add([learn(question, answer, source=Source.CORRECTED)])
    wanted = knowledge.without_vector()
    knowledge.add_vectors(wanted, [vector_of(text) for _, text in wanted])
    assert len(knowledge) == 1
    best = knowledge.match(Message(question, "en", "support", {}, vector_of(question)))[0]
    own = knowledge.own_answer(best.answer_id)
    assert own is not None
    assert own.answer == "No, we do not."


def test_numbers_become_slots_and_personal_data_is_masked() -> None:
    made = learn(
        "订单12345678什么时候到？我的邮箱是anna@example.com",
        "订单12345678明天送达。",
        source=Source.DIALOGUE,
    )
    assert made.answer == "订单{order_id}明天送达。"
    assert made.slots == ("order_id",)
    assert "12345678" not in made.question
    assert "anna@example.com" not in made.question
    assert made.language == "zh"


@pytest.mark.parametrize(
    ("question", "answer", "answer_id", "field"),
    [
        (" ", "Yes.", "", "question"),
        ("q" * 1001, "Yes.", "", "question"),
        ("why", "", "", "answer"),
        ("why", "Yes.", "complaint", "answer"),
        ("why", "y" * 4001, "", "answer"),
        ("why", "Write to anna@example.com.", "", "answer"),
        ("why\x00", "Yes.", "", "question"),
    ],
)
def test_what_cannot_be_learnt_is_refused_by_the_field(
    question: str, answer: str, answer_id: str, field: str
) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        learn(question, answer, answer_id=answer_id, source=Source.DIALOGUE)
    assert [each.field for each in caught.value.violations] == [field]


def test_a_label_counts_only_where_the_nlu_is_sure() -> None:
    assert label_of(Message("q", "en", labels={"review": 0.8})) == "review"
    assert label_of(Message("q", "en", labels={"review": 0.4})) == ""


def test_articles_are_found_by_id() -> None:
    articles = read_help()
    text, citation = articles.quote("help.care.wool", "zh")
    assert "30度" in text
    assert citation.field == "wool.zh"
    with pytest.raises(KeyError):
        articles.find("help.care.silk")


def test_chinese_is_matched_by_vectors_of_its_own_and_by_words_without_them() -> None:
    weights = read_weights()
    assert weights.vectors_zh is not None
    asked = Message("买错了东西", "zh", "support", {}, np.array([0.0, 1.0], dtype=np.float32))

    def best(chosen: MatcherWeights) -> Match:
        matcher = Matcher(chosen)
        for answer, vector in (("other", [1.0, 0.0]), ("cancel_order", [0.0, 1.0])):
            own = np.array(vector, dtype=np.float32)
            matcher.add(answer, "", "zh", f"订单{answer}", own)
        return matcher.match(asked)[0]

    assert best(weights).answer_id == "cancel_order"
    old = weights.model_copy(update={"vectors_zh": None, "vectors_zh_unlabelled": None})
    by_words = best(old)
    assert by_words.answer_id == "other"  # no word is shared: the first of equals
    assert by_words.threshold == weights.words_unlabelled.threshold


def test_each_language_waits_for_its_own_vectors(knowledge: Knowledge) -> None:
    fresh = Knowledge(read_templates(), read_help())
    assert fresh.waits_for_vectors("en")
    chinese = [each for each in fresh.without_vector() if each[0] == "zh"]
    fresh.add_vectors(chinese, [vector_of(text) for _, text in chinese])
    assert not fresh.waits_for_vectors("zh")
    assert fresh.waits_for_vectors("en")
    assert not knowledge.waits_for_vectors("en")
