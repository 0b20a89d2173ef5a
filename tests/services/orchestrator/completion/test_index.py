"""What is found for a prefix, and in which order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.completion.index import CompletionIndex, Entry, Match, Source, ordered
from services.orchestrator.completion.typos import one_edit_away

INDEX = CompletionIndex(
    [
        Entry("Running shoes", Source.PRODUCT_TYPE, 90),
        Entry("Shoes", Source.CATEGORY, 40),
        Entry("shoe rack", Source.SEARCHES, 6),
        Entry("Shimano", Source.BRAND, 12),
        Entry("kettle", Source.PRODUCT_TYPE, 20),
        Entry("Kettles", Source.PRODUCT_TYPE, 21),
        Entry("蓝牙耳机", Source.SEARCHES, 8),
        Entry("耳机", Source.PRODUCT_TYPE, 30),
        Entry("银行卡包", Source.PRODUCT_TYPE, 3),
        Entry("5g手机", Source.PRODUCT_TYPE, 9),
        Entry("Ｗide lens", Source.TITLE_WORD, 5),
    ]
)


def texts(found: dict[str, Match]) -> list[str]:
    return [match.entry.text for match in found.values()]


def test_beginnings_and_words_by_popularity() -> None:
    # A search of six users weighs as the products of a shop do; a word within a text weighs less.
    assert texts(INDEX.find("shoe", 8)) == ["shoe rack", "Shoes", "Running shoes"]
    assert texts(INDEX.find("shi", 8)) == ["Shimano"]
    assert texts(INDEX.find("shoe", 1)) == ["shoe rack"]
    assert texts(INDEX.find("running s", 8)) == ["Running shoes"]
    assert texts(INDEX.find("x", 8)) == []


def test_what_says_the_same_comes_once() -> None:
    assert texts(INDEX.find("kett", 8)) == ["Kettles"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("耳", {"耳机", "蓝牙耳机"}),
        ("蓝牙", {"蓝牙耳机"}),
        ("erj", {"耳机", "蓝牙耳机"}),
        ("lanya", {"蓝牙耳机"}),
        ("lyej", {"蓝牙耳机"}),
        ("ej", {"耳机", "蓝牙耳机"}),
        ("yinhang", {"银行卡包"}),
        ("5gshou", {"5g手机"}),
    ],
)
def test_chinese_by_characters_and_by_pinyin(typed: str, expected: set[str]) -> None:
    assert set(texts(INDEX.find(typed, 8))) == expected


def test_what_was_typed_is_told() -> None:
    (match,) = INDEX.find("蓝牙", 8).values()
    assert (match.start, match.end) == (0, 2)
    running = INDEX.find("shoes", 8)
    (match,) = (m for m in running.values() if m.entry.text == "Running shoes")
    assert match.entry.text[match.start : match.end] == "shoes"
    (match,) = INDEX.find("lyej", 8).values()
    assert (match.start, match.end) == (0, 0)
    (match,) = INDEX.find("wide", 8).values()
    assert (match.start, match.end) == (0, 4)


@pytest.mark.parametrize(
    "typed", ["kettel", "ketle", "kettlle", "kittle", "ekttle", "xettle", "kettl3"]
)
def test_one_wrong_letter_is_mended(typed: str) -> None:
    found = INDEX.find_corrected(typed, 8)
    assert texts(found) == ["Kettles"]
    assert all(match.corrected for match in found.values())


@pytest.mark.parametrize("typed", ["kitel", "kex", "qqqq"])
def test_two_wrong_letters_are_not(typed: str) -> None:
    assert not INDEX.find_corrected(typed, 8)


def test_pinyin_is_mended_too() -> None:
    assert texts(INDEX.find_corrected("lanyeer", 8)) == ["蓝牙耳机"]


def test_the_language_asked_for_comes_first() -> None:
    found = INDEX.find("s", 8) | INDEX.find("e", 8)
    assert ordered(found, 8, "zh")[0].entry.text in ("耳机", "蓝牙耳机")
    assert ordered(found, 8, "en")[0].entry.text == "shoe rack"


def test_letters_are_meant_for_themselves_unless_one_types_chinese() -> None:
    found = INDEX.find("sh", 8)
    assert texts(found)[-1] == "5g手机"
    assert [m.entry.text for m in ordered(found, 8)][-1] == "5g手机"
    assert ordered(found, 8)[0].entry.text == "shoe rack"
    assert ordered(found, 8, "zh")[0].entry.text == "5g手机"


def test_an_empty_index_finds_nothing() -> None:
    empty = CompletionIndex()
    assert (len(empty), empty.find("a", 5), empty.find_corrected("abcd", 5)) == (0, {}, {})


def distance(one: str, other: str) -> int:
    """Optimal string alignment, by its definition."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        rows.append([i])
        for j, b in enumerate(other, 1):
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i].append(best)
    return rows[-1][-1]


@given(st.text("abc", min_size=1, max_size=6), st.text("abc", min_size=4, max_size=6))
def test_mending_finds_all_beginnings_that_are_near(text: str, typed: str) -> None:
    found = set(one_edit_away(typed, text.startswith))
    near = {text[:n] for n in range(1, len(text) + 1) if distance(text[:n], typed) == 1}
    assert found == near
