"""Whatever the query, the answer keeps its promises."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.nlu.domain import ParseOptions
from services.nlu.understanding import QueryReader
from shared.filter_syntax import parse_filter

PIECES = [
    "under 20", "500以下", "200-300元", "不要", "黑色", "without", " ", "no", "not black", "和",
    "iphone 11", "4-6寸", "headphnes", "sony", "索尼", "除了", "以外",
    "at least 16 gb ram", "4星以上",
    "cheap", "便宜", "in stock", "ﬁ", "Ⅷ", "İ", "ß", "５００", "$", "-", "的", "between 5 and 9",
    f"under {'9' * 400}", f"¥300-¥2{'0' * 400}", f"{'9' * 400} gb", f"{'9' * 400}星以上",
    "一起", "万", "百", "?", "请问", "please", "vs", "\u3000", "e\u0301", "𠮷", "👟", "xl", "42码",
]  # fmt: skip
QUERIES = st.one_of(
    st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=60),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map("".join),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=8).map(" ".join),
).filter(lambda query: bool(query.strip()))


@settings(deadline=None)
@given(QUERIES, st.booleans())
def test_promises_hold_for_any_query(reader: QueryReader, query: str, keep: bool) -> None:
    understanding = reader.read(query, ParseOptions(keep_spelling=keep))
    assert understanding.query == query
    for spanned in (*understanding.tokens, *understanding.entities):
        assert 0 <= spanned.start < spanned.end <= len(query)
        assert query[spanned.start : spanned.end] == spanned.text
    for constraint in understanding.constraints:
        assert 0 <= constraint.start < constraint.end <= len(query)
        assert 0 < constraint.confidence <= 1
        conditions = (constraint.bounds, constraint.any_of, constraint.none_of)
        assert sum(bool(condition) for condition in conditions) == 1
    for correction in understanding.corrections:
        assert query[correction.start : correction.end] == correction.original
    intents = (understanding.intent, *understanding.alternative_intents)
    assert sum(intent.confidence for intent in intents) == pytest.approx(1.0)
    assert understanding.intent.confidence == max(intent.confidence for intent in intents)
    assert 0 <= understanding.language_confidence <= 1
    assert understanding.embedding_text
    if understanding.filter:
        parse_filter(understanding.filter)


@pytest.mark.parametrize("query", ["under {}", "¥300-¥{}", "{}元以下"])
def test_no_number_is_infinite(reader: QueryReader, query: str) -> None:
    understanding = reader.read(query.format("9" * 400), ParseOptions())
    assert "1000000000000000" in understanding.filter
    parse_filter(understanding.filter)


@settings(deadline=None)
@given(QUERIES)
def test_reading_twice_says_the_same(reader: QueryReader, query: str) -> None:
    assert reader.read(query) == reader.read(query)


def test_the_longest_query_is_read(reader: QueryReader) -> None:
    query = ("不要黑色 under 20 " * 80)[:1000]
    assert reader.read(query).query == query


@pytest.mark.parametrize(
    ("query", "code", "language"),
    [
        ("无线鼠标", "", "zh"),
        ("wireless mouse", "", "en"),
        ("索尼 wh-1000xm4 耳机", "", "zh"),
        ("12345", "", "und"),
        ("mouse", "zh-CN", "zh"),
    ],
)
def test_language(reader: QueryReader, query: str, code: str, language: str) -> None:
    assert reader.read(query, ParseOptions(language_code=code)).language_code == language
