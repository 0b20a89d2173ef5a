"""Chinese pairs that mean the same: few labelled ones (`fewclue_bustm`) and many weak ones.

The weak ones are what shops give for nothing: a title and the words of its entities, two queries of
which one only says more, the halves of a review, attributes and the copy written from them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from services.nlu.train.examples import Example, TaskData, TaskKind
from services.nlu.train.lexical import LexicalIndex, character_bigrams
from services.nlu.train.rows import read_rows
from services.nlu.train.titles import read_titles
from shared.text.normalise import fold
from shared.text.segmentation import cut_words

NO_MATCH, MATCH = "0", "1"
"""Labels of judged pairs."""

MOST_OF_A_KIND = 6_000
"""Weak pairs of one source at most, so that no source drowns the others."""

_HALF = range(30, 161)
"""Characters of the reviews that are halved: shorter halves say too little of their subject."""

_SENTENCE_END = re.compile(r"[。！？!?；;，,]+")


def matching_zh(data: Path) -> TaskData:
    """Returns pairs for contrastive training, and judged pairs to measure by.

    In `train`, `other` means the same as `text`; `negatives` are texts that look alike and do not.
    In `dev`, `label` tells MATCH from NO_MATCH; no weak pair is among them.

    Args:
        data: Folder of the data sets.

    Raises:
        FileNotFoundError: A data set is missing.
        ValueError: A file is malformed.
    """
    random = Random(17)  # noqa: S311 # a sample that can be drawn again
    train = labelled_pairs(judged_pairs(data / "fewclue_bustm" / "train_few_all.json"))
    queries = (line.split("\t", 1)[-1] for line in _lines(data / "queries" / "zh.tsv"))
    reviews = (row["review"] for row in read_rows(data / "reviews_zh" / "train.jsonl.gz"))
    weak = (
        title_pairs(read_titles(data / "ecommerce_ner_zh" / "train.jsonl.gz")),
        query_pairs(list(queries)),
        review_pairs(reviews),
        copy_pairs(read_rows(data / "attributes_to_copy_zh" / "train.jsonl.gz")),
    )
    for pairs in weak:
        drawn = random.sample(pairs, min(MOST_OF_A_KIND, len(pairs)))
        train.extend(replace(pair, weight=0.5) for pair in drawn)
    return TaskData(
        head="sentence_embedding",
        kind=TaskKind.PAIRS,
        labels=(),
        train=train,
        dev=judged_pairs(data / "fewclue_bustm" / "dev_few_all.json"),
    )


def judged_pairs(path: Path) -> list[Example]:
    """Returns pairs with MATCH or NO_MATCH, from a file of the form of `fewclue_bustm`.

    Args:
        path: One object a line: `sentence1`, `sentence2` and `label`, 0 or 1.

    Raises:
        ValueError: A row lacks a sentence or its label.
    """
    pairs: list[Example] = []
    for number, row in enumerate(read_rows(path), 1):
        try:
            label = (NO_MATCH, MATCH)[int(row["label"])]
            pairs.append(Example(text=row["sentence1"], other=row["sentence2"], label=label))
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(f"{path}, row {number}: no pair with a label ({error})") from error
    return pairs


def labelled_pairs(pairs: Sequence[Example]) -> list[Example]:
    """Returns judged pairs as contrastive ones.

    A pair that does not match makes a hard negative; its positive is the text itself, which dropout
    shows to the model twice (SimCSE: Gao et al., 2021).
    """
    return [
        Example(text=pair.text, other=pair.other)
        if pair.label == MATCH
        else Example(text=pair.text, other=pair.text, negatives=(pair.other,))
        for pair in pairs
    ]


def title_pairs(titles: Sequence[Example]) -> list[Example]:
    """Returns queries made of a title's entities, each with the title.

    The negative of a pair is the title that BM25 ranks highest among those that name none of the
    query's entities in full.
    """
    index = LexicalIndex([title.text for title in titles], character_bigrams)
    pairs: list[Example] = []
    for title in titles:
        named = {span.label: title.text[span.start : span.end] for span in reversed(title.spans)}
        product = named.get("PRODUCT_TYPE", "")
        words = [named[label] for label in ("BRAND", "MODEL") if label in named] + [product]
        query = "".join(words)
        if not product or query == title.text or len(query) < 3:  # noqa: PLR2004 # too vague
            continue
        found = (titles[at].text for at in index.top(query, 20))
        wrong = (text for text in found if not any(word in text for word in words))
        pairs.append(Example(text=query, other=title.text, negatives=tuple(islice(wrong, 1))))
    return pairs


def query_pairs(queries: Sequence[str]) -> list[Example]:
    """Returns pairs of queries for the same thing, the one saying more than the other.

    Both end in the same word, which names the product, and the words of the one are all among the
    words of the other.
    """
    folded = dict.fromkeys(fold(query) for query in queries)
    cut = {query: [w for w, _, _ in cut_words(query) if w.strip()] for query in folded}
    seen = Counter(word for words in cut.values() for word in set(words))
    by_rarest: dict[str, list[str]] = {}
    for query, words in cut.items():
        if len(query) > 3:  # noqa: PLR2004 # a bare word says too little to be half of a pair
            by_rarest.setdefault(min(words, key=lambda w: (seen[w], w)), []).append(query)
    pairs: list[Example] = []
    for query, words in cut.items():
        shorter = (
            other
            for word in dict.fromkeys(words)
            for other in by_rarest.get(word, ())
            if other != query and cut[other][-1] == words[-1] and set(cut[other]) <= set(words)
        )
        # The fullest of them: it leaves the least unsaid.
        if best := max(shorter, key=len, default=""):
            pairs.append(Example(text=best, other=query))
    return pairs


def review_pairs(reviews: Iterator[str]) -> list[Example]:
    """Returns halves of reviews, cut at the mark nearest to the middle."""
    pairs: list[Example] = []
    for review in reviews:
        text = " ".join(review.split())
        ends = [found.end() for found in _SENTENCE_END.finditer(text, 10, max(10, len(text) - 10))]
        if len(text) in _HALF and ends:
            middle = min(ends, key=lambda end: abs(2 * end - len(text)))
            pairs.append(Example(text=text[:middle].strip(), other=text[middle:].strip()))
    return pairs


def copy_pairs(rows: Iterator[dict[str, Any]]) -> list[Example]:
    """Returns attributes as a query would name them, with the copy that was written from them."""
    pairs: list[Example] = []
    for row in rows:
        values = [part.partition("#")[2] for part in row["content"].split("*")]
        copy = row["summary"].replace("<UNK>", "")
        if values[1:] and copy:
            # Products come first in the data and last in a query.
            pairs.append(
                Example(text="".join(dict.fromkeys([*values[1:5], values[0]])), other=copy)
            )
    return pairs


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n")
