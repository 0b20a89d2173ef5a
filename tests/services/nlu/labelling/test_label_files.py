"""Texts in, labels out: readers of files, marks, exports, agreement."""

import gzip
import json
from math import isnan

import pytest

from services.nlu.labelling.agreement import agreements
from services.nlu.labelling.export import examples, export_labels, read_labels
from services.nlu.labelling.marks import read_marks, with_marks
from services.nlu.labelling.task import Answer, LabellingError
from services.nlu.labelling.texts import read_texts
from services.nlu.train.examples import Example, Span
from tests.services.nlu.labelling.conftest import CLASSES, SPANS, class_items, span_item

POSITIVE, NEGATIVE = Answer("positive"), Answer("negative")
BRAND, TYPE = Span(2, 4, "BRAND"), Span(5, 7, "PRODUCT_TYPE")


def test_texts_of_every_format(tmp_path):
    lines = tmp_path / "a.txt"
    lines.write_text("one\n\n two  words \none\n", encoding="utf-8")
    assert read_texts(lines) == ["one", "two words"]
    rows = tmp_path / "a.jsonl.gz"
    rows.write_bytes(gzip.compress('{"review": "很好"}\n{"tokens": ["手", "机"]}\n'.encode()))
    assert read_texts(rows) == ["很好", "手机"]
    table = tmp_path / "a.csv"
    table.write_text('id,said\n1,"a, b"\n', encoding="utf-8-sig")
    assert read_texts(table, "said") == ["a, b"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"review": "x"}\nnonsense', "line 2"),
        ("a.jsonl", b"[1]", "line 1"),
        ("a.jsonl", b'{"review": 3}', "no text"),
        ("a.csv", b"id,said\n1,x\n", "no text in text or review"),
        ("a.txt", b"\n \n", "no texts"),
        ("a.txt", b"\xff\xfe\xff", "UTF-8"),
        ("a.txt.gz", b"not gzip", "cannot read"),
    ],
)
def test_files_that_cannot_be_read_say_why(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(LabellingError, match=message):
        read_texts(path)
    with pytest.raises(LabellingError, match="cannot read"):
        read_texts(tmp_path / "absent")


def test_marks_go_into_the_text_and_back():
    text = span_item().text
    marked = with_marks(text, (BRAND, TYPE), SPANS)
    assert marked == "🌈 [小米](1) [手机](2)"
    assert read_marks(marked, text, SPANS) == (BRAND, TYPE)
    assert read_marks("🌈 [小米](brand) 手机", text, SPANS) == (BRAND,)
    assert read_marks(text, text, SPANS) == ()
    # Brackets of the text's own are text.
    assert read_marks("a [b] [c](1)", "a [b] c", SPANS) == (Span(6, 7, "BRAND"),)


@pytest.mark.parametrize(
    ("marked", "message"),
    [("🌈 [小米](9) 手机", "no label"), ("🌈 [小米](1) 平板", "changed"), ("", "changed")],
)
def test_wrong_marks_are_refused(marked, message):
    with pytest.raises(LabellingError, match=message):
        read_marks(marked, span_item().text, SPANS)


def test_export_and_back(queue, span_queue, tmp_path):
    with pytest.raises(LabellingError, match="no answers"):
        export_labels(queue, tmp_path / "none.jsonl")
    first, second, third = class_items()[:3]
    queue.label("ada", first.id, POSITIVE)
    queue.label("ada", second.id, POSITIVE)
    queue.label("bob", second.id, NEGATIVE)
    queue.skip("ada", third.id)
    path = tmp_path / "out" / "labels.jsonl"
    # Where two differ, neither is taught.
    assert export_labels(queue, path) == 1
    assert read_labels(path) == ("sentiment", [Example(first.text, label="positive")])
    queue.label("eve", second.id, NEGATIVE)
    assert examples(queue)[1].label == "negative"
    span_queue.label("ada", span_item().id, Answer(spans=(BRAND,)))
    export_labels(span_queue, path)
    assert read_labels(path) == ("entities", [Example(span_item().text, spans=(BRAND,))])
    # "Nothing is named here" is an answer that is taught too.
    span_queue.label("ada", span_item().id, Answer())
    export_labels(span_queue, path)
    assert read_labels(path) == ("entities", [Example(span_item().text)])


@pytest.mark.parametrize(
    "row",
    [
        {"text": "x", "label": "a"},
        {"head": "h", "text": "", "label": "a"},
        {"head": "h", "text": "x"},
        {"head": "h", "text": "x", "spans": [[0, 2, "A"]]},
        {"head": "h", "text": "x", "spans": [[0, True, "A"]]},
        {"head": "h", "text": "x", "spans": "A"},
        {"head": "other", "text": "x", "label": "a"},
    ],
)
def test_files_of_labels_are_checked(tmp_path, row):
    path = tmp_path / "labels.jsonl"
    good = {"head": "h", "text": "y", "label": "a"}
    path.write_text("".join(json.dumps(item) + "\n" for item in (good, row)))
    with pytest.raises(ValueError, match=r"labels\.jsonl|span|list"):
        read_labels(path)


def test_agreement_of_classes_by_hand(queue):
    items = class_items()
    given = {
        "ada": [POSITIVE, POSITIVE, NEGATIVE, NEGATIVE, POSITIVE],
        "bob": [POSITIVE, NEGATIVE, NEGATIVE, NEGATIVE, POSITIVE],
    }
    for who, answers in given.items():
        for item, answer in zip(items, answers, strict=False):
            queue.label(who, item.id, answer)
    queue.label("eve", items[5].id, POSITIVE)
    (found,) = agreements(queue)
    # Seen 4/5; by chance 3/5 x 2/5 + 2/5 x 3/5 = 12/25.
    assert (found.first, found.second, found.texts, found.same) == ("ada", "bob", 5, 0.8)
    assert found.kappa == pytest.approx((0.8 - 0.48) / 0.52)
    assert isnan(found.span_f1)


def test_agreement_of_spans(span_queue):
    item = span_item()
    span_queue.label("ada", item.id, Answer(spans=(BRAND, TYPE)))
    span_queue.label("bob", item.id, Answer(spans=(BRAND,)))
    (found,) = agreements(span_queue)
    assert found.same == 0
    assert found.span_f1 == pytest.approx(2 / 3)
    # Of 7 characters 5 agree; chance: (2/7)(2/7) brand + (3/7)(5/7) none.
    assert found.kappa == pytest.approx((5 / 7 - 19 / 49) / (1 - 19 / 49))


def test_one_label_alone_has_no_kappa(queue):
    for who in ("ada", "bob"):
        queue.label(who, class_items()[0].id, POSITIVE)
    (found,) = agreements(queue)
    assert found.same == 1
    assert isnan(found.kappa)
    assert queue.task == CLASSES
