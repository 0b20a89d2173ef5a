"""Figures of reasons: what is unsupported, repeated, and who wrote it."""

from typing import cast

from shared.evaluation.claims import Record, Seen
from shared.evaluation.reasons.collect import GivenReason, ReasonPage
from shared.evaluation.reasons.figures import document
from shared.evaluation.reasons.score import score
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1.reason_pb2 import Generator, Reason


def product(identity: str, colour: str) -> Product:
    made = Product(id=identity, brand="Acme")
    made.titles["en"] = f"Acme {colour} kettle"
    made.attributes["colour"].texts.append(colour)
    return made


def page(texts: list[str], *, known: bool = False) -> ReasonPage:
    products = [product(f"p{n}", "black") for n, _ in enumerate(texts)]
    history = [Seen(products[0], bought=True)] if known else []
    return ReasonPage(
        "black kettle",
        [
            GivenReason(
                Reason(
                    product_id=each.id,
                    text=text,
                    language_code="en",
                    codes=["because_you_bought"] if "bought" in text else ["attribute_match"],
                    generator=Generator.GENERATOR_MODEL if n else Generator.GENERATOR_TEMPLATE,
                ),
                Record(each, "black kettle", products, history),
            )
            for n, (each, text) in enumerate(zip(products, texts, strict=True))
        ],
        history,
    )


def test_unsupported_claims_are_counted_by_cause() -> None:
    found = score([page(["Black, as you asked.", "White, as you asked.", ""])])
    report = document(found)
    assert (report["reasons"], report["without_text"]) == (2, 1)
    assert (report["claims"], report["unsupported"]) == (4, 1)
    assert report["unsupported_by_cause"] == {"value": 1}
    assert report["model_share"] == 0.5
    samples = report["samples"]
    assert isinstance(samples, list)
    assert {"query", "product", "evidence", "text"} <= set(cast("dict[str, object]", samples[0]))


def test_coverage_counts_words_that_mean_the_same() -> None:
    (half,) = score([page(["Black, as you asked."])]).scored
    assert half.coverage == 0.5
    (translated,) = score([page(["黑色，正合您的要求。"])]).scored
    assert translated.coverage == 0.5


def test_repeats_are_counted_by_page() -> None:
    same = ["Black, as you asked."] * 3
    found = score([page(same), page(["Black, as you asked.", "An Acme kettle."])])
    assert found.most_repeated == 3
    assert document(found)["distinct_on_page"] == (1 / 3 + 1) / 2


def test_history_is_named_to_those_who_have_one() -> None:
    told = 'Because you bought "Acme black kettle".'
    report = document(score([page([told], known=True), page([told]), page(["Black."], known=True)]))
    assert report["history_named"] == 0.5
    assert report["history_named_to_strangers"] == 1.0
