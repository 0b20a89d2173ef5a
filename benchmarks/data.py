"""The public data sets, read in place."""

from __future__ import annotations

import csv
import gzip
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import ROOT


@dataclass(frozen=True, slots=True)
class Icecat:
    """19,406 electronics products and judged queries."""

    catalogue: Path
    judgments: Path


def data_folder(*needed: str) -> Path:
    """WHEREFORE_DATA, or the folder beside the checkout.

    Args:
        needed: Files that must be in it.

    Raises:
        SystemExit: One is not there.
    """
    root = Path(os.environ.get("WHEREFORE_DATA") or ROOT.parent / "shared" / "data")
    missing = [name for name in needed if not (root / name).exists()]
    if missing:
        raise SystemExit(f"no {', '.join(missing)} in {root}; WHEREFORE_DATA names another folder")
    return root


def shopping_queries(seed: int = 5) -> dict[str, list[str]]:
    """Real queries by language, each once, shuffled.

    English: popular queries of two demo shops and of a home-goods shop. Chinese: of a large shop.

    Raises:
        SystemExit: The data is not there.
    """
    files = ("zh.tsv", "en_suggestions.json", "en_suggestions_electronics.json")
    home = "en_home_with_class.csv"
    root = data_folder(*(f"queries/{name}" for name in (*files, home))) / "queries"
    chinese = [line.split("\t", 1)[1] for line in _text(root / files[0]).splitlines()]
    english = [row["query"] for name in files[1:] for row in json.loads(_text(root / name))]
    english += [row["query"] for row in csv.DictReader(_text(root / home).splitlines())]
    queries: dict[str, list[str]] = {}
    for language, found in (("en", english), ("zh", chinese)):
        once = sorted({text.strip() for text in found if text.strip()})
        random.Random(seed).shuffle(once)  # noqa: S311 - load, not secrets
        queries[language] = once
    return queries


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def icecat() -> Icecat:
    """The icecat set below WHEREFORE_DATA.

    Raises:
        SystemExit: It is not there.
    """
    root = data_folder() / "icecat"
    found = Icecat(root / "products.jsonl.gz", root / "judgments_dev.csv")
    if not (found.catalogue.exists() and found.judgments.exists()):
        raise SystemExit(f"no icecat data in {root}; WHEREFORE_DATA names its parent folder")
    return found


def subset(data: Icecat, size: int, folder: Path) -> Path:
    """Write the judged products and others up to `size`, for a trial run.

    Its figures say nothing about the full catalogue.
    """
    from shared.evaluation.judgments import read_judgments

    judged = {item for ratings in read_judgments(data.judgments).values() for item in ratings}
    with gzip.open(data.catalogue, "rt", encoding="utf-8") as stream:
        lines = list(stream)
    lines.sort(key=lambda line: json.loads(line)["id"] not in judged)
    path = folder / "icecat-subset.jsonl"
    path.write_text("".join(lines[:size]), encoding="utf-8")
    return path
