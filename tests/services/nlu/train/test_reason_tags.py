"""Reasons to buy: patterns, weak labels, augmentation and the hand-marked set."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from services.nlu.train.examples import Example, Span
from services.nlu.train.reason_augment import Augmenter, read_phrases
from services.nlu.train.reason_patterns import (
    PRESENT,
    QUALITY,
    REASON_TAGS,
    VALUE,
    WORD_OF_MOUTH,
    find_reasons,
)
from services.nlu.train.reason_tags import (
    DATA,
    DEV,
    label_sentence,
    read_reasons,
    weak_examples,
)


def said(text: str) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.label) for span in find_reasons(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("锅的质量特别好，而且很实惠", [("质量特别好", QUALITY), ("实惠", VALUE)]),
        ("同事们都说好用，买了两口", [("同事们都说好用", WORD_OF_MOUTH)]),
        ("买来送给老妈的生日礼物", [("送给老妈的生日礼物", PRESENT)]),
        ("特别划算", [("划算", VALUE)]),
        ("发货快质量好", [("质量好", QUALITY)]),
        ("没想到做工这么差", []),
        ("没想到质量很好", [("质量很好", QUALITY)]),
        ("不仅质量好，还送了勺子", [("质量好", QUALITY)]),
    ],
)
def test_praise_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert said(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "锅的质量并不好",
        "没觉得质量好",
        "希望质量好",
        "质量好一点就好了",
        "质量好吗",
        "这锅质量好？",
        "号称结实，一用就弯",
        "锅今天派送给老婆了",
        "实惠的话再来",
        "",
    ],
)
def test_what_is_not_meant_is_no_reason(text: str) -> None:
    assert said(text) == []


def test_the_longest_reading_holds() -> None:
    assert said("做工精细耐看") == [("做工精细", QUALITY)]
    assert said("结实耐用") == [("结实耐用", QUALITY)]


def test_a_bad_review_teaches_no_praise() -> None:
    assert label_sentence("质量很好", good=False) == (Example("质量很好"), False)
    assert label_sentence("质量不好", good=False) == (Example("质量不好"), True)


def test_a_good_review_is_read_more_loosely() -> None:
    text = "锅太值了"
    assert said(text) == []
    assert label_sentence(text, good=True) == (Example(text, spans=(Span(2, 3, VALUE),)), True)
    # A reason may stand here in words that no pattern knows: nothing is learnt from it.
    assert label_sentence("质量让我睡得着觉", good=True) == (Example("质量让我睡得着觉"), False)
    assert label_sentence("颜色很正", good=True) == (Example("颜色很正"), True)


def reviews() -> list[Example]:
    good = ["锅质量不错。颜色也正。", "很划算，再来一口。", "朋友推荐。送给老爸的。", "好看极了。"]
    bad = ["质量不好。", "锅是歪的，退了。", "一点都不划算。"]
    return [Example(text, label="positive") for text in good] + [
        Example(text, label="negative") for text in bad
    ]


def test_weak_labels_hold_every_tag_and_hard_negatives() -> None:
    examples = weak_examples(reviews(), seed=1)
    assert examples == weak_examples(reviews(), seed=1)
    tags = Counter(span.label for example in examples for span in example.spans)
    assert set(tags) == set(REASON_TAGS)
    by_text = {example.text: example for example in examples}
    assert by_text["质量不好。"].spans == ()
    assert by_text["锅是歪的，退了。"].spans == ()
    assert by_text["送给老爸的。"].spans == (Span(0, 4, PRESENT),)
    for example in examples:
        at = 0
        for span in example.spans:
            assert at <= span.start < span.end <= len(example.text)
            at = span.end


def test_other_words_move_the_spans_behind_them() -> None:
    example = Example("划算，质量好。", spans=(Span(0, 2, VALUE), Span(3, 6, QUALITY)))
    made = Augmenter(
        {VALUE: ["一点不贵"], QUALITY: ["很牢"]},
        Random(3),  # noqa: S311
    )
    texts = {item.text: item.spans for item in made.substituted([example])}
    assert texts == {
        "一点不贵，质量好。": (Span(0, 4, VALUE), Span(5, 8, QUALITY)),
        "划算，很牢。": (Span(0, 2, VALUE), Span(3, 5, QUALITY)),
    }


def test_frames_take_reasons_back_or_keep_them() -> None:
    augmenter = Augmenter({tag: ["某种好处"] for tag in REASON_TAGS}, Random(3))  # noqa: S311
    undone, turned = augmenter.undone([]), augmenter.turned([])
    assert undone
    assert all("某种好处" in example.text and not example.spans for example in undone)
    assert turned
    for example in turned:
        (span,) = example.spans
        assert example.text[span.start : span.end] == "某种好处"


def test_marks_become_spans(tmp_path: Path) -> None:
    path = tmp_path / "marked.txt"
    path.write_text("# 说明 [x](y)\n\n锅[很牢](质量好)，[送礼体面](适合送礼)\n颜色正\n", "utf-8")
    assert read_reasons(path) == [
        Example("锅很牢，送礼体面", spans=(Span(1, 3, QUALITY), Span(4, 8, PRESENT))),
        Example("颜色正"),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[很牢](结实)", ":1: unknown reason '结实'"),
        ("[很牢(质量好)", ":1: a mark is not closed"),
        ("好\n好", ":2: '好' stands there twice"),
    ],
)
def test_a_malformed_mark_is_told(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "marked.txt"
    path.write_text(line, "utf-8")
    with pytest.raises(ValueError, match=message):
        read_reasons(path)


def test_phrases_need_a_known_tag(tmp_path: Path) -> None:
    path = tmp_path / "phrases.txt"
    path.write_text("很牢\t结实", "utf-8")
    with pytest.raises(ValueError, match=":1: unknown reason"):
        read_phrases(path)


def test_the_dev_set_is_broad_and_apart_from_the_phrases() -> None:
    dev = read_reasons(DEV)
    assert len(dev) >= 240
    counts = Counter(span.label for example in dev for span in example.spans)
    assert min(counts[tag] for tag in REASON_TAGS) >= 30
    assert sum(not example.spans for example in dev) >= 100
    marked = {example.text[span.start : span.end] for example in dev for span in example.spans}
    phrases = read_phrases(DATA / "reason_tags_zh_phrases.txt")
    assert not marked & {phrase for said in phrases.values() for phrase in said}


def test_the_patterns_fall_short_of_the_dev_set() -> None:
    dev = read_reasons(DEV)
    gold = {(item.text, span) for item in dev for span in item.spans}
    found = {(item.text, span) for item in dev for span in find_reasons(item.text)}
    assert 0.5 < 2 * len(gold & found) / (len(gold) + len(found)) < 0.8
