"""What the rules know and what a model reads, put together."""

import pytest

from services.nlu.domain import (
    EntityType,
    Intent,
    IntentType,
    ParseOptions,
    SentimentLabel,
    Understanding,
)
from services.nlu.learnt.port import LabelledSpan, Reading
from services.nlu.merge import merge, read_intents
from services.nlu.understanding import QueryReader

MODEL = "query_en@7"


def span_of(understanding: Understanding, words: str, label: str, sure: float) -> LabelledSpan:
    """A span as the model gives it: in the text that it was given to read."""
    start = understanding.reading_text.index(words)
    return LabelledSpan(start, start + len(words), label, sure)


def entities(understanding: Understanding) -> list[tuple[str, EntityType, str]]:
    return [(item.text, item.type, item.source) for item in understanding.entities]


def test_a_span_that_no_list_holds_is_added(reader: QueryReader) -> None:
    ruled = reader.read("  Zorbtech KETTLE under 20")
    learnt = Reading(entities=(span_of(ruled, "zorbtech", "BRAND", 0.8),))
    merged = merge(ruled, learnt, MODEL)
    assert entities(merged) == [
        ("Zorbtech", EntityType.BRAND, MODEL),
        ("KETTLE", EntityType.PRODUCT_TYPE, "lexicon"),
        ("under 20", EntityType.PRICE, "pattern"),
    ]
    brand = merged.entities[0]
    assert (brand.start, brand.end, brand.normalized, brand.confidence) == (2, 10, "zorbtech", 0.8)
    assert (merged.filter, merged.search_text) == (ruled.filter, ruled.search_text)


def test_what_the_rules_ground_stands(reader: QueryReader) -> None:
    ruled = reader.read("sony headphones under 50")
    learnt = Reading(
        entities=(
            span_of(ruled, "sony", "MODEL", 0.99),
            span_of(ruled, "sony headphones", "PRODUCT_TYPE", 0.99),
            span_of(ruled, "50", "SIZE", 0.99),
        )
    )
    assert entities(merge(ruled, learnt, MODEL)) == entities(ruled)


def test_a_model_number_known_by_its_shape_gives_way_to_a_surer_reading(
    reader: QueryReader,
) -> None:
    ruled = reader.read("zx-81b kettle")
    assert ruled.entities[0].type is EntityType.MODEL
    guess = ruled.entities[0].confidence
    for sure, kind in ((guess - 0.1, EntityType.MODEL), (guess + 0.1, EntityType.BRAND)):
        learnt = Reading(entities=(span_of(ruled, "zx-81b", "BRAND", sure),))
        assert merge(ruled, learnt, MODEL).entities[0].type is kind


def test_spans_that_the_model_doubts_and_labels_that_nobody_knows_are_left_out(
    reader: QueryReader,
) -> None:
    ruled = reader.read("zorbtech thing")
    learnt = Reading(
        entities=(
            span_of(ruled, "zorbtech", "BRAND", 0.4),
            span_of(ruled, "thing", "GADGET", 0.9),
        )
    )
    assert merge(ruled, learnt, MODEL).entities == ruled.entities


def test_spans_lead_back_through_a_correction(reader: QueryReader) -> None:
    ruled = reader.read("zorbtech headphnes", ParseOptions())
    assert ruled.reading_text == "zorbtech headphones"
    [correction] = ruled.corrections
    learnt = Reading(entities=(span_of(ruled, "headphones", "PRODUCT_TYPE", 0.9),))
    merged = merge(ruled, learnt, MODEL)
    [found] = [item for item in merged.entities if item.type is EntityType.PRODUCT_TYPE]
    assert (found.start, found.end) == (correction.start, correction.end) == (9, 18)


def test_what_a_query_excludes_is_negated(reader: QueryReader) -> None:
    ruled = reader.read("kettle without zorbium")
    learnt = Reading(entities=(span_of(ruled, "zorbium", "MATERIAL", 0.9),))
    merged = merge(ruled, learnt, MODEL)
    assert [item.negated for item in merged.entities] == [False, True]


def test_a_canonical_value_is_used_where_the_lexicon_has_one(reader: QueryReader) -> None:
    ruled = reader.read("乐丽牌 zorb")
    span = LabelledSpan(0, 2, "BRAND", 0.9)
    merged = merge(ruled, Reading(entities=(span,)), "query_zh@1")
    assert (merged.entities[0].text, merged.entities[0].normalized) == ("乐丽", "乐丽")


def test_intent_is_blended_and_its_finer_label_is_the_models(reader: QueryReader) -> None:
    ruled = reader.read("my parcel has not shown up")
    scored = (("support/track_order", 0.7), ("support/complaint", 0.2), ("product_search", 0.1))
    merged = merge(ruled, Reading(intent=scored), MODEL)
    assert (merged.intent.type, merged.intent.label) == (IntentType.SUPPORT, "track_order")
    total = merged.intent.confidence + sum(i.confidence for i in merged.alternative_intents)
    assert total == pytest.approx(1.0)
    kinds = [merged.intent.type, *(item.type for item in merged.alternative_intents)]
    assert len(set(kinds)) == len(kinds)


def test_a_brand_of_the_catalogue_is_navigation_whatever_the_model_says(
    reader: QueryReader,
) -> None:
    scored = (("product_search", 0.9), ("navigational", 0.1))
    known = merge(reader.read("philips"), Reading(intent=scored), MODEL)
    unknown = merge(reader.read("gooseneck kettle"), Reading(intent=scored), MODEL)
    assert known.intent.type is IntentType.NAVIGATIONAL
    assert unknown.intent.type is IntentType.PRODUCT_SEARCH


def test_a_model_without_a_head_changes_nothing(reader: QueryReader) -> None:
    ruled = reader.read("red kettle, where is my order")
    assert merge(ruled, Reading(), MODEL) == ruled


def test_nothing_said_stays_nothing_said(reader: QueryReader) -> None:
    ruled = reader.read("???")
    merged = merge(ruled, Reading(intent=(("comparison", 1.0),)), MODEL)
    assert merged.intent.type is IntentType.UNSPECIFIED


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("红色连衣裙", SentimentLabel.NEUTRAL),  # names a thing
        ("无线蓝牙耳机 降噪 小米 300元以下", SentimentLabel.NEUTRAL),  # lists what is wanted
        ("质量太差了", SentimentLabel.NEGATIVE),  # a word of the lexicon
        ("用了两天就不能充电了客服也不理人", SentimentLabel.NEGATIVE),  # long enough for an opinion
    ],
)
def test_the_model_takes_sides_on_opinions_only(
    reader: QueryReader, query: str, label: SentimentLabel
) -> None:
    learnt = Reading(sentiment=(("negative", 0.9), ("positive", 0.1)))
    merged = merge(reader.read(query), learnt, "query_zh@1")
    assert merged.sentiment.label is label
    if label is SentimentLabel.NEGATIVE:
        assert merged.sentiment.score == pytest.approx(-0.8)


def test_kinds_of_product_are_the_likeliest_five(reader: QueryReader) -> None:
    scored = tuple((f"类{number}", 0.3 - 0.04 * number) for number in range(7))
    merged = merge(reader.read("手机"), Reading(category=scored), "query_zh@1")
    assert [item.label for item in merged.categories] == ["类0", "类1", "类2", "类3", "类4"]


def test_labels_of_one_type_are_added_up() -> None:
    scored = (("product_search", 0.4), ("support/a", 0.35), ("support/b", 0.25))
    intents = read_intents(scored)
    assert intents[0] == Intent(IntentType.SUPPORT, pytest.approx(0.6), "a")  # type: ignore[arg-type]
    assert intents[1] == Intent(IntentType.PRODUCT_SEARCH, 0.4)
