"""Chinese tasks from small files of the forms of the data sets."""

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from services.nlu.train.chinese import (
    CATEGORIES,
    category_zh,
    entities_zh,
    sentiment_zh,
)
from services.nlu.train.examples import Example, Span, TaskKind
from services.nlu.train.titles import bio_spans, read_titles

DATA = Path(os.environ.get("WHEREFORE_DATA", Path(__file__).parents[5] / "shared/data"))


def write(path: Path, rows: Iterable[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return path


def title(text: str, tags: str) -> dict[str, list[str]]:
    return {"tokens": list(text), "tags": tags.split()}


def test_spans_are_half_open_in_code_points() -> None:
    tags = ["B-HPPX", "I-HPPX", "B-HCCX", "I-HCCX", "B-HCCX", "O", "B-XH"]
    assert bio_spans(list("海棠锅铲勺红𝟖"), tags) == (
        Span(0, 2, "BRAND"),
        Span(2, 4, "PRODUCT_TYPE"),
        Span(4, 5, "PRODUCT_TYPE"),
        Span(6, 7, "MODEL"),
    )


def test_tokens_of_several_characters_move_the_spans() -> None:
    assert bio_spans(["ab", "锅", "500g"], ["O", "B-HCCX", "B-MISC"]) == (
        Span(2, 3, "PRODUCT_TYPE"),
        Span(3, 7, "ATTRIBUTE"),
    )


def test_an_inside_without_a_beginning_begins() -> None:
    assert bio_spans(list("红锅铲"), ["O", "I-HCCX", "I-XH"]) == (
        Span(1, 2, "PRODUCT_TYPE"),
        Span(2, 3, "MODEL"),
    )


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [
        ("锅铲", ["O"], "2 tokens with 1 tags"),
        ("锅", ["B-COLOUR"], "'B-COLOUR' is unknown"),
        ("锅", ["HCCX"], "'HCCX' is unknown"),
        ("锅", ["B"], "'B' is unknown"),
    ],
)
def test_malformed_tags_are_told(tokens: str, tags: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bio_spans(list(tokens), tags)


def test_entities_keep_the_text_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "ecommerce_ner_zh"
    write(folder / "train.jsonl.gz", [title("（大号）铁锅", "O O O O B-HCCX I-HCCX")])
    write(folder / "dev.jsonl.gz", [title("白\u3000勺", "O O B-HCCX"), {"tokens": [], "tags": []}])
    data = entities_zh(tmp_path)
    assert (data.head, data.kind) == ("entities", TaskKind.TOKENS)
    assert data.labels == ("PRODUCT_TYPE", "BRAND", "MODEL", "ATTRIBUTE")
    assert data.train == [Example("（大号）铁锅", spans=(Span(4, 6, "PRODUCT_TYPE"),))]
    assert data.dev == [Example("白\u3000勺", spans=(Span(2, 3, "PRODUCT_TYPE"),)), Example("")]


def test_a_malformed_title_is_told_with_its_row(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl.gz", [title("锅", "O"), title("锅铲", "O")])
    with pytest.raises(ValueError, match="row 2: 2 tokens with 1 tags"):
        read_titles(path)
    with pytest.raises(ValueError, match=r"row 1: 'tags'"):
        read_titles(write(path, [{"tokens": ["锅"]}]))


def review(category: str, label: int, text: str) -> dict[str, Any]:
    return {"cat": category, "label": label, "review": text}


def test_reviews_have_a_sentiment_and_a_category(tmp_path: Path) -> None:
    write(tmp_path / "reviews_zh" / "train.jsonl.gz", [review("水果", 1, "很甜")])
    write(tmp_path / "reviews_zh" / "dev.jsonl.gz", [review("酒店", 0, "有点吵")])
    sentiment, category = sentiment_zh(tmp_path), category_zh(tmp_path)
    assert (sentiment.head, category.head) == ("sentiment", "category")
    assert sentiment.labels == ("negative", "positive")
    assert sentiment.train == [Example("很甜", label="positive")]
    assert sentiment.dev == [Example("有点吵", label="negative")]
    assert category.train == [Example("很甜", label="水果")]
    assert category.dev == [Example("有点吵", label="酒店")]
    assert category.labels == CATEGORIES


@pytest.mark.parametrize("row", [review("汽车", 2, "好"), {"cat": "水果", "label": 1}])
def test_a_review_with_an_unknown_label_is_told(tmp_path: Path, row: dict[str, Any]) -> None:
    for split in ("train", "dev"):
        write(tmp_path / "reviews_zh" / f"{split}.jsonl.gz", [row])
    for load in (sentiment_zh, category_zh):
        with pytest.raises(ValueError, match="row 1"):
            load(tmp_path)


@pytest.mark.skipif(not DATA.is_dir(), reason=f"no data sets in {DATA}; WHEREFORE_DATA names them")
def test_the_real_sets_are_whole() -> None:
    entities = entities_zh(DATA)
    assert (len(entities.train), len(entities.dev)) == (3871, 830)
    assert sum(len(title.spans) for title in entities.dev) == 2854 + 356 + 209 + 633
    category = category_zh(DATA)
    assert (len(category.train), len(category.dev)) == (47043, 6272)
    assert {example.label for example in category.train} == set(CATEGORIES)
