"""Lexicon: what is found in texts of both languages, and what must not be."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.text.lexicon import LexiconKind, canonical, find_mentions, forms
from shared.text.lexicon.kinds import read_entries


def found(text: str, *kinds: LexiconKind) -> list[tuple[str, str]]:
    return [(mention.canonical, mention.text) for mention in find_mentions(text, kinds or None)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "藏青色男士纯棉T恤",
            [("navy", "藏青色"), ("men", "男士"), ("cotton", "纯棉"), ("t-shirt", "T恤")],
        ),
        ("wireless mice", [("wireless", "wireless"), ("mouse", "mice")]),
        ("Navy-Blue dresses", [("navy", "Navy-Blue"), ("dress", "dresses")]),
        (
            "stainless steel kettles",
            [("stainless steel", "stainless steel"), ("kettle", "kettles")],
        ),
        ("ＢＬＡＣＫ boots", [("black", "ＢＬＡＣＫ"), ("boots", "boots")]),
        ("kid’s scooters", [("kids", "kid’s"), ("scooter", "scooters")]),
        ("送女朋友生日礼物", [("women", "女朋友"), ("birthday", "生日"), ("gift", "礼物")]),
        ("白裙子", [("white", "白"), ("dress", "裙子")]),
        ("运动鞋男", [("sneakers", "运动鞋"), ("men", "男")]),
        ("小米手环", [("Xiaomi", "小米"), ("fitness tracker", "手环")]),
        ("苹果手机壳", [("Apple", "苹果"), ("phone case", "手机壳")]),
        ("rose gold ring", [("rose gold", "rose gold"), ("ring", "ring")]),
        # Longest match: a cat's litter is no cat and a chocolate colour is no sweet.
        ("cat litter", [("cat litter", "cat litter")]),
        ("无线充电", [("wireless charging", "无线充电")]),
    ],
)
def test_finds_the_longest_forms(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("blackberry", LexiconKind.COLOUR),
        ("predator", LexiconKind.COLOUR),
        ("白菜", LexiconKind.COLOUR),
        ("红薯", LexiconKind.COLOUR),
        ("黑芝麻糊", LexiconKind.COLOUR),
        ("face cream", LexiconKind.COLOUR),
        ("小米粥", LexiconKind.BRAND),
        ("红富士苹果", LexiconKind.BRAND),
        ("manual", LexiconKind.AUDIENCE),
        ("male to female adapter", LexiconKind.AUDIENCE),
        ("turn down", LexiconKind.MATERIAL),
    ],
)
def test_leaves_words_within_words_alone(text: str, kind: LexiconKind) -> None:
    assert found(text, kind) == []


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (LexiconKind.COLOUR, "黑", "black"),
        (LexiconKind.COLOUR, " Gray ", "grey"),
        (LexiconKind.COLOUR, "Cream", "ivory"),
        (LexiconKind.MATERIAL, "Aluminum", "aluminium"),
        (LexiconKind.AUDIENCE, "女", "women"),
        (LexiconKind.PRODUCT_TYPE, "Laptops", "notebook"),
        (LexiconKind.BRAND, "索尼", "Sony"),
        (LexiconKind.COLOUR, "RAL 9005", None),
        (LexiconKind.COLOUR, "", None),
    ],
)
def test_canonical_values_of_whole_texts(
    kind: LexiconKind, text: str, expected: str | None
) -> None:
    assert canonical(kind, text) == expected


def test_forms_come_in_both_scripts() -> None:
    assert {"headphones", "耳机"} <= set(forms(LexiconKind.PRODUCT_TYPE, "headphones"))
    assert forms(LexiconKind.PRODUCT_TYPE, "no such thing") == ()


@pytest.mark.parametrize("kind", list(LexiconKind))
def test_no_form_has_two_meanings_in_one_lexicon(kind: LexiconKind) -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for entry in read_entries(kind):
        meanings[entry.form].add(entry.canonical)
    assert len(meanings) > 50
    assert {form: values for form, values in meanings.items() if len(values) > 1} == {}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_spans_are_spans_of_the_text(text: str) -> None:
    last = 0
    for mention in find_mentions(text):
        assert last <= mention.start < mention.end <= len(text)
        assert text[mention.start : mention.end] == mention.text
        last = mention.end


@settings(deadline=None)
@given(st.lists(st.sampled_from(["黑色", "black", "Ⅷ", "ﬁ", "男", " ", "-", "t恤", "kettles"])))
def test_spans_hold_beside_characters_that_fold_to_several(parts: list[str]) -> None:
    text = "".join(parts)
    for mention in find_mentions(text):
        assert text[mention.start : mention.end] == mention.text
