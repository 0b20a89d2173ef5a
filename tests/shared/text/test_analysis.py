import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text.analysis import analyse, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running shoes for the kids", ["run", "shoe", "kid"]),
        ("the of and", []),
        ("TN-2110", ["tn2110", "tn", "2110"]),
        ("Café Crème", ["cafe", "creme"]),
        ("men's shoes", ["men", "shoe"]),
        ("wi-fi", ["wifi", "wi", "fi"]),
        ("802.11b/g", ["802.11bg", "802.11", "b", "g"]),
        ("ＡＢＣ", ["abc"]),
        ("我想要一款红色的连衣裙", ["红色", "连衣裙", "连衣", "衣裙"]),
        ("壳", ["壳"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert sorted(terms(text)) == sorted(expected)


@pytest.mark.parametrize("written", ["TN-2110", "tn2110", "TN2110", "Tn-2110"])
def test_spellings_of_a_model_number_meet(written: str) -> None:
    assert set(terms(written)) == {"tn2110", "tn", "2110"}


@pytest.mark.parametrize(
    "written", ['17"', "17 inch", "17-inch", "17in", "17寸", "17 英寸", "17inches"]
)
def test_spellings_of_a_measure_meet(written: str) -> None:
    assert "17inch" in terms(written)


def test_decimals_stay_whole() -> None:
    assert terms("43.2 cm") == ["43.2", "43.2cm", "cm"]


def test_chinese_words_inside_words_are_terms() -> None:
    assert {"笔记本电脑", "笔记本", "电脑"} <= set(terms("笔记本电脑包"))


def test_mixed_text_keeps_spans() -> None:
    text = 'Apple iPhone15手机壳 17"  黑色'
    found = analyse(text)
    assert all(text[term.start : term.end] == term.text for term in found)
    assert {"iphone15", "手机", "壳", "17inch", "黑色"} <= {term.normalized for term in found}


def test_stop_words_are_terms_without_a_normal_form() -> None:
    assert [(term.text, term.normalized) for term in analyse("for kids")] == [
        ("for", ""),
        ("kids", "kid"),
    ]


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_spans_are_of_the_text_as_given(text: str) -> None:
    found = analyse(text)
    assert all(text[term.start : term.end] == term.text for term in found)
    assert [term.start for term in found] == sorted(term.start for term in found)
