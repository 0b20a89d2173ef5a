import gzip
import json

import pytest

from shared.evaluation.labelled_texts import (
    ClassFields,
    LabelledSpan,
    LabelledText,
    LabelledTextsError,
    read_classes,
    read_spans,
)

TYPES = {"HCCX": "PRODUCT_TYPE", "HPPX": "BRAND"}
SENTIMENT = ClassFields(("review", "text"), "label", {"1": "positive", "0": "negative"})
INTENT = ClassFields(("utterance",), "intent", {})


def lines(path, *rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def test_bio_tags_become_spans_in_code_points(tmp_path):
    row = {
        "tokens": ["小", "米", "iPad", "壳", "包", "包"],
        "tags": ["B-HPPX", "I-HPPX", "O", "B-HCCX", "B-HCCX", "I-HCCX"],
    }
    (text,) = read_spans(lines(tmp_path / "a.jsonl", row), TYPES)
    assert text.text == "小米iPad壳包包"
    assert text.spans == {
        LabelledSpan(0, 2, "BRAND"),
        LabelledSpan(6, 7, "PRODUCT_TYPE"),
        LabelledSpan(7, 9, "PRODUCT_TYPE"),
    }


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        (["O", "I-HCCX", "I-HCCX"], {LabelledSpan(1, 3, "PRODUCT_TYPE")}),
        (
            ["B-HPPX", "I-HCCX", "I-HCCX"],
            {LabelledSpan(0, 1, "BRAND"), LabelledSpan(1, 3, "PRODUCT_TYPE")},
        ),
        (["O", "O", "O"], frozenset()),
    ],
)
def test_an_inside_without_a_beginning_begins(tmp_path, tags, spans):
    path = lines(tmp_path / "a.jsonl", {"tokens": list("甲乙丙"), "tags": tags})
    assert read_spans(path, TYPES)[0].spans == spans


def test_spans_are_read_as_they_are(tmp_path):
    row = {"text": "红色 dress", "spans": [[3, 8, "HCCX"]], "intent": "product_search"}
    (text,) = read_spans(lines(tmp_path / "a.jsonl", row), TYPES)
    assert text == LabelledText("红色 dress", spans=frozenset({LabelledSpan(3, 8, "PRODUCT_TYPE")}))


def test_marked_text_has_spans_and_a_label(tmp_path):
    path = tmp_path / "a.txt.gz"
    marked = "# for people\n\n#1 [小米](HPPX) [手机](HCCX) 便宜\tproduct_search\n"
    path.write_bytes(gzip.compress(marked.encode()))
    (text,) = read_spans(path, TYPES)
    assert text.text == "#1 小米 手机 便宜"
    assert text.spans == {LabelledSpan(3, 5, "BRAND"), LabelledSpan(6, 8, "PRODUCT_TYPE")}
    (text,) = read_classes(path, ClassFields(("text",), "intent", {}))
    assert text.label == "product_search"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[a](HCCX", "a.txt:1: a mark is not whole"),
        ("[a] b", "a.txt:1: a mark is not whole"),
        ("[a](X)", r"a.txt:1: spans\[0\]: 'X' is none of"),
    ],
)
def test_bad_marks_are_named_by_line(tmp_path, line, message):
    path = tmp_path / "a.txt"
    path.write_text(line)
    with pytest.raises(LabelledTextsError, match=message):
        read_spans(path, TYPES)


def test_classes_from_json_lines_gzipped(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    rows = [{"review": "好", "label": 1}, {"review": "a\u2028b", "label": 0}]
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_bytes(gzip.compress(data.encode()))
    assert read_classes(path, SENTIMENT) == [
        LabelledText("好", "positive"),
        LabelledText("a\u2028b", "negative"),
    ]


def test_classes_from_csv_with_byte_order_mark_and_quotes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('\ufeffutterance,intent\n"where, is it",track_order\n', "utf-8")
    assert read_classes(path, INTENT) == [LabelledText("where, is it", "track_order")]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["a"], "tags": []}, "a.jsonl:2: tags: 0 tags for 1 tokens"),
        ({"tokens": ["a"], "tags": ["B-X"]}, "a.jsonl:2: tags: 'B-X' is neither"),
        ({"tokens": ["a"], "tags": ["S-HCCX"]}, "a.jsonl:2: tags: 'S-HCCX' is neither"),
        ({"tokens": "a", "tags": ["O"]}, "a.jsonl:2: tokens: is missing or no list"),
        ({"tokens": [1], "tags": ["O"]}, "a.jsonl:2: tokens: must hold texts alone"),
        ({"text": "a", "spans": [[0, 2, "HCCX"]]}, r"a.jsonl:2: spans\[0\]: must be"),
        ({"text": "a", "spans": [[0, 1, "X"]]}, r"a.jsonl:2: spans\[0\]: 'X' is none of"),
        ({"spans": []}, "a.jsonl:2: text: is missing"),
    ],
)
def test_bad_spans_are_named_by_line_and_field(tmp_path, row, message):
    path = lines(tmp_path / "a.jsonl", {"tokens": ["a"], "tags": ["O"]}, row)
    with pytest.raises(LabelledTextsError, match=message):
        read_spans(path, TYPES)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"review": "a", "label": 2}, "a.jsonl:1: label: '2' is none of 1, 0"),
        ({"review": "a", "label": ""}, "a.jsonl:1: label: is missing"),
        ({"review": "a", "label": None}, "a.jsonl:1: label: is missing"),
        ({"review": 1, "label": 1}, "a.jsonl:1: review: is missing or no text"),
        ({"sentence": "a", "label": 1}, "a.jsonl:1: no field review or text"),
    ],
)
def test_bad_classes_are_named_by_line_and_field(tmp_path, row, message):
    with pytest.raises(LabelledTextsError, match=message):
        read_classes(lines(tmp_path / "a.jsonl", row), SENTIMENT)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"tokens": [', "a.csv:1: not JSON"),
        (b"", "a.csv: no labelled text"),
        (b"\xff\xfe", "a.csv: not UTF-8"),
        (b"\x1f\x8bnonsense", "a.csv: "),
        (gzip.compress(b'{"tokens": []}' * 50)[:-12], "a.csv: "),
        (b"some,columns\n1,2\n", "a.csv:2: text: is missing"),
    ],
)
def test_bad_files_are_named(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(LabelledTextsError, match=message):
        read_spans(path, TYPES)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LabelledTextsError, match=r"none\.jsonl: No such file"):
        read_spans(tmp_path / "none.jsonl", TYPES)
