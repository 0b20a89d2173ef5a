from collections.abc import Callable
from pathlib import Path

import pytest

from services.assistant.domain import Language
from services.assistant.evaluation.cases import (
    ProductQuestion,
    Request,
    product_questions,
    read_chinese_requests,
    read_out_of_scope,
    read_requests,
)
from services.assistant.evaluation.evidence import unsupported
from services.assistant.evaluation.measure import (
    measure_out_of_scope,
    measure_products,
    measure_requests,
)
from services.assistant.templates import read_templates
from shared.cli.support_evaluation_view import table
from tests.services.assistant.standing_in import lamp
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb

NOW = 1_790_000_000.0


def _answer() -> pb.AskResponse:
    title = "Lumoria D910 desk lamp, white"
    response = pb.AskResponse()
    answer = response.answer
    answer.kind = answers.ANSWER_KIND_GENERATED
    answer.text = f"“{title}”: Its colour is white."
    answer.citations.add(
        source=answers.CITATION_SOURCE_PRODUCT,
        source_id="lamp-white",
        field="titles.en",
        text=title,
        claim=title,
    )
    answer.citations.add(
        source=answers.CITATION_SOURCE_PRODUCT,
        source_id="lamp-white",
        field="attributes.colour",
        text="white",
        claim="Its colour is white",
    )
    return response


def _other_claim(answer: answers.Answer) -> None:
    answer.text = answer.text.replace("white.", "black.")
    answer.citations[1].claim = "Its colour is black"


def _other_value(answer: answers.Answer) -> None:
    answer.citations[1].text = "black"


def _more_words(answer: answers.Answer) -> None:
    answer.text += " It lasts for ever."


def _other_product(answer: answers.Answer) -> None:
    answer.citations[1].source_id = "lamp-green"


def _other_title(answer: answers.Answer) -> None:
    answer.citations[0].text = answer.citations[0].claim = "Lumoria"


def _claim_elsewhere(answer: answers.Answer) -> None:
    answer.citations[1].claim = "Its colour is a warm white"


def _no_review(answer: answers.Answer) -> None:
    answer.citations[1].source = answers.CITATION_SOURCE_REVIEW


def test_what_the_records_support_is_supported() -> None:
    assert unsupported(_answer().answer, {"lamp-white": lamp("white")}, NOW) == []


@pytest.mark.parametrize(
    "falsify",
    [
        _other_claim,
        _other_value,
        _more_words,
        _other_product,
        _other_title,
        _claim_elsewhere,
        _no_review,
    ],
)
def test_what_they_do_not_is_found(falsify: Callable[[answers.Answer], None]) -> None:
    answer = _answer().answer
    falsify(answer)
    assert unsupported(answer, {"lamp-white": lamp("white")}, NOW)


@pytest.mark.parametrize(
    ("claim", "holds"),
    [("它净重是3,000 g", True), ("它净重是2,000 g", False), ("它长度是3,000 g", False)],
)
def test_a_measure_in_a_chinese_sentence_is_read(claim: str, holds: bool) -> None:
    product = lamp("white")
    product.attributes["net_weight"].numbers.append(3000)
    product.attributes["net_weight"].unit = "g"
    answer = _answer().answer
    answer.text = f"“Lumoria D910 desk lamp, white”：{claim}。"
    answer.citations[1].field, answer.citations[1].text = "attributes.net_weight", "3,000 g"
    answer.citations[1].claim = claim
    assert (unsupported(answer, {"lamp-white": product}, NOW) == []) is holds


def test_the_questions_that_come_along_are_as_many_as_they_should_be() -> None:
    asked = read_out_of_scope()
    texts = [text for _, _, text in asked]
    assert len(set(texts)) == len(texts)
    assert sum(part == "test" for part, _, _ in asked) == 200
    assert sum(part == "tune" for part, _, _ in asked) == 100
    own = {
        question
        for template in read_templates().by_id.values()
        for language in ("en", "zh")
        for question in template.wording(language).questions
    }
    assert not own & set(texts)
    chinese = read_chinese_requests()
    assert len({each.intent for each in chinese}) == 27
    assert not own & {each.text for each in chinese}


def test_questions_about_products_are_the_same_every_time() -> None:
    products = [lamp(f"colour{number}") for number in range(40)]
    asked = product_questions(products, count=20)
    assert len(asked) == 20
    assert asked == product_questions(products, count=20)
    assert {each.language for each in asked} == {"en", "zh"}
    assert any(each.product.titles[each.language] in each.text for each in asked)


def test_a_file_of_requests_without_its_columns_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    path.write_text("text,label\nwhere,track_order\n", "utf-8")
    with pytest.raises(ValueError, match="utterance"):
        read_requests(path)


async def test_what_is_measured_is_counted() -> None:
    done: list[int] = []

    async def ask(request: pb.AskRequest) -> pb.AskResponse:
        if "lamp" in request.question:
            return _answer()
        response = pb.AskResponse()
        if "cancel" in request.question:
            response.answer.kind = answers.ANSWER_KIND_TEMPLATE
            response.answer.answer_id = response.answer.intent = "cancel_order"
        else:
            response.answer.kind = answers.ANSWER_KIND_HAND_OVER
        return response

    async def first(text: str, language: Language) -> str:
        return "cancel_order" if "cancel" in text else "review"

    requests = [
        Request("cancel it", "en", "cancel_order"),
        Request("cancel the newsletter", "en", "newsletter_subscription"),
        Request("my opinion", "en", "review"),
    ]
    found = (await measure_requests(ask, requests, first, done.append)).as_json()
    assert found["right_at_rank_1"] == found["answered"] == round(2 / 3, 4)
    assert found["right_of_answered"] == 0.5
    nobody = await measure_out_of_scope(ask, [("en", "sing"), ("en", "cancel tax")], done.append)
    assert nobody.as_json()["handed_over"] == 0.5
    products = {"lamp-white": lamp("white")}
    questions = [
        ProductQuestion("colour of the lamp", "en", lamp("white"), "attributes.colour"),
        ProductQuestion("price of the lamp", "en", lamp("white"), "price"),
        ProductQuestion("what else", "en", lamp("white"), "price"),
    ]
    told = await measure_products(ask, questions, products, done.append)
    figures = told.as_json()
    assert figures["kinds"] == {"generated": 2, "hand_over": 1}
    assert figures["right_field"] == 0.5
    assert figures["right_product"] == figures["answers_that_cite"] == 1.0
    assert figures["unsupported_claims"] == 0
    assert sum(done) == 8
    document = {
        "templates": 54,
        "requests_en": found,
        "requests_zh": found,
        "out_of_scope": nobody.as_json(),
        "products": figures,
    }
    assert table(document).row_count == 14
