"""Text that people wrote and that no generator of ours was trained on, for a model that judges."""

from __future__ import annotations

import csv
import gzip
import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.data import data_folder
from services.reason.train.scenes import split_of
from shared.evaluation.fluency import sentences

_NEEDED: Final = (
    "reviews_zh/dev.jsonl.gz",
    "reviews_zh/train.jsonl.gz",
    "attributes_to_copy_zh/dev.jsonl.gz",
    "fewclue_eprstmt/unlabeled.json",
    "review_summaries_en/train.tsv",
    "review_summaries_en/val.tsv",
    "reviews_by_product_en/reviews.csv",
    "luma/ReviewSampleData_products_reviews.csv",
)
_TAG: Final = re.compile(r"<[^>]+>")


def plain_text() -> dict[str, list[str]]:
    """Returns sentences of reviews, summaries and descriptions by language, each once.

    The model of reasons (`services/reason/train/corpus.py`) reads the train half of the Chinese
    sets and nine of ten products of the English reviews; of both, only the rest is used here, and
    no sentence that stands in what it reads.

    Raises:
        SystemExit: The data is not there.
    """
    root = data_folder(*_NEEDED)
    read = {
        "en": _cut(text for product, text in _english_reviews(root) if _is_read(product)),
        "zh": _cut(row["review"] for row in _rows(root / "reviews_zh" / "train.jsonl.gz")),
    }
    written = {"en": _cut(_english(root)), "zh": _cut(_chinese(root))}
    return {
        language: [text for text in texts if text not in read[language]]
        for language, texts in written.items()
    }


def _cut(texts: Iterator[str]) -> dict[str, None]:
    return dict.fromkeys(sentence for text in texts for sentence in sentences(text))


def _is_read(product: str) -> bool:
    return split_of(f"en/{product}", "reviews") == "train"


def _english(root: Path) -> Iterator[str]:
    for product, review in _english_reviews(root):
        if not _is_read(product):
            yield review
    for half in ("train", "val"):
        for row in _table(root / "review_summaries_en" / f"{half}.tsv", "\t"):
            yield from (v for key, v in row.items() if v and key.startswith(("rev", "summ")))
    for row in _table(root / "luma" / "ReviewSampleData_products_reviews.csv"):
        yield row["review"]
    for path in sorted((root / "luma").glob("*_products*.csv")):
        for row in _table(path):
            text = _TAG.sub(" ", row.get("description") or "")
            yield from html.unescape(text).split("•")


def _english_reviews(root: Path) -> Iterator[tuple[str, str]]:
    for row in _table(root / "reviews_by_product_en" / "reviews.csv"):
        yield row["prod_id"], row["review"]


def _chinese(root: Path) -> Iterator[str]:
    for row in _rows(root / "reviews_zh" / "dev.jsonl.gz"):
        yield row["review"]
    for row in _rows(root / "attributes_to_copy_zh" / "dev.jsonl.gz"):
        yield row["summary"]
    with (root / "fewclue_eprstmt" / "unlabeled.json").open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["sentence"]


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _table(path: Path, separator: str = ",") -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=separator)
