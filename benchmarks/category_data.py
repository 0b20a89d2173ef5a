"""Products and queries with known categories, as `benchmarks.classification` reads them."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path

from services.reason.classify.features import Text
from services.reason.classify.train.examples import Example, split
from services.reason.classify.tree import Path as Category
from shared.catalogue import read_catalogue
from shared.catalogue.taxonomy import read_taxonomy
from shared.text.analysis import analyse, terms
from wherefore.common.v1.product_pb2 import Product

_SUGGESTED = 0.5
"""Share of a query's hits that its category must hold to be its label."""


def products_of(path: Path) -> list[Product]:
    """Reads a catalogue."""
    return [row.product for row in read_catalogue(path) if row.product is not None]


def review_parts(folder: Path, seed: int = 0) -> dict[str, list[Example]]:
    """Parts of reviews_zh: its dev part is the test."""

    def read(name: str) -> list[Example]:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return [
            Example(f"{name}-{at}", [Text("descriptions", "zh", row["review"])], (row["cat"],))
            for at, row in enumerate(rows)
        ]

    shares = {"train": 0.90, "calibration": 0.05, "selection": 0.05}
    return split(read("train"), seed, shares) | {"test": read("dev")}


def without_names(products: Sequence[Product]) -> list[Product]:
    """Copies of products whose texts have lost the words of their own category."""
    masked: list[Product] = []
    for product in products:
        copy = Product()
        copy.CopyFrom(product)
        names = set(terms(" ".join(product.category_path)))
        for texts in (copy.titles, copy.descriptions):
            for code in list(texts):
                text = texts[code]
                for term in sorted(analyse(text), key=lambda each: -each.start):
                    if term.normalized in names:
                        text = text[: term.start] + " " + text[term.end :]
                texts[code] = text.strip() or "-"
        masked.append(copy)
    return masked


def home_queries(folder: Path) -> tuple[list[tuple[str, Category]], list[Category]]:
    """The 480 home-goods queries and their classes."""
    with (folder / "queries" / "en_home_with_class.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["query"], (row["query_class"],)) for row in csv.DictReader(file)]
    rows = [(query, path) for query, path in rows if query.strip() and path[0].strip()]
    random.Random(2).shuffle(rows)  # noqa: S311 - no secret
    return rows, sorted({path for _, path in rows})


def electronics_queries(folder: Path) -> tuple[list[tuple[str, Category]], list[Category]]:
    """Popular queries of an electronics shop with the category that most hits are in."""
    paths = read_taxonomy(folder / "taxonomy" / "categories_en.json")
    known = set(paths)
    text = (folder / "queries" / "en_suggestions_electronics.json").read_text(encoding="utf-8")
    rows: list[tuple[str, Category]] = []
    for row in json.loads(text):
        for source in row.values():
            if not isinstance(source, dict) or "facets" not in source:
                continue
            facets = source["facets"].get("exact_matches", {})
            for level in (3, 2, 1, 0):
                top = facets.get(f"hierarchicalCategories.lvl{level}") or [{}]
                path = tuple(top[0].get("value", "").split(" > "))
                hits = max(1, source.get("exact_nb_hits", 0))
                if path in known and top[0]["count"] / hits >= _SUGGESTED:
                    rows.append((row["query"], path))
                    break
    rows = sorted(set(rows))
    random.Random(2).shuffle(rows)  # noqa: S311 - no secret
    return rows, paths
