"""Chinese tasks: entities of titles, sentiment and product category of reviews, matching."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from services.nlu.train.chinese_matching import matching_zh
from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.rows import read_rows
from services.nlu.train.titles import ENTITY_LABELS, read_titles

__all__ = ["CATEGORIES", "SENTIMENTS", "category_zh", "entities_zh", "matching_zh", "sentiment_zh"]

SENTIMENTS = ("negative", "positive")
"""By the label of `reviews_zh`, 0 and 1."""

CATEGORIES = (
    "书籍",
    "平板",
    "手机",
    "水果",
    "洗发水",
    "热水器",
    "蒙牛",
    "衣服",
    "计算机",
    "酒店",
)
"""Product categories of `reviews_zh`."""


def entities_zh(data: Path) -> TaskData:
    """Returns product titles with their entities (`ecommerce_ner_zh`).

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: The data set is missing.
        ValueError: A file is malformed.
    """
    return TaskData(
        head="entities",
        kind=TaskKind.TOKENS,
        labels=tuple(ENTITY_LABELS.values()),
        train=read_titles(data / "ecommerce_ner_zh" / "train.jsonl.gz"),
        dev=read_titles(data / "ecommerce_ner_zh" / "dev.jsonl.gz"),
    )


def sentiment_zh(data: Path) -> TaskData:
    """Returns reviews with "negative" or "positive" (`reviews_zh`).

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: The data set is missing.
        ValueError: A file is malformed.
    """
    return _of_reviews(data, "sentiment", SENTIMENTS, _sentiment)


def category_zh(data: Path) -> TaskData:
    """Returns reviews with the category of the product (`reviews_zh`).

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: The data set is missing.
        ValueError: A file is malformed.
    """
    return _of_reviews(data, "category", CATEGORIES, _category)


def _of_reviews(
    data: Path, head: str, labels: tuple[str, ...], label: Callable[[Mapping[str, Any]], str]
) -> TaskData:
    train, dev = (
        _reviews(data / "reviews_zh" / f"{half}.jsonl.gz", label) for half in ("train", "dev")
    )
    return TaskData(head, TaskKind.CLASSES, labels, train, dev)


def _reviews(path: Path, label: Callable[[Mapping[str, Any]], str]) -> list[Example]:
    reviews: list[Example] = []
    for number, row in enumerate(read_rows(path), 1):
        try:
            reviews.append(Example(text=row["review"], label=label(row)))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(
                f"{path}, row {number}: no review with its labels ({error})"
            ) from error
    return reviews


def _sentiment(row: Mapping[str, Any]) -> str:
    return SENTIMENTS[(0, 1).index(row["label"])]


def _category(row: Mapping[str, Any]) -> str:
    return CATEGORIES[CATEGORIES.index(row["cat"])]
