"""Chinese shopping texts without labels, from the training halves of the data sets alone."""

import json
from collections.abc import Iterator
from pathlib import Path

from shared.text_file import open_text


def chinese_texts(data: Path, *, window: int) -> list[str]:
    """Returns the texts, cut into pieces, each once.

    Args:
        data: Folder of the data sets (see `shared/data/README.md` of the data).
        window: Characters of a piece at most.

    Raises:
        FileNotFoundError: A data set is missing.
    """
    held = {row["review"] for row in _rows(data / "reviews_zh" / "dev.jsonl.gz")}
    held |= {"".join(row["tokens"]) for row in _rows(data / "ecommerce_ner_zh" / "dev.jsonl.gz")}
    cut = (piece for text in _texts(data) if text not in held for piece in pieces(text, window))
    return list(dict.fromkeys(cut))


def pieces(text: str, window: int) -> Iterator[str]:
    """Yields the pieces of a text, of at most `window` characters, with blanks made single."""
    text = " ".join(text.split())
    for start in range(0, len(text), window):
        if piece := text[start : start + window].strip():
            yield piece


def _texts(data: Path) -> Iterator[str]:
    for row in _rows(data / "reviews_zh" / "train.jsonl.gz"):
        yield row["review"]
    for row in _rows(data / "fewclue_eprstmt" / "unlabeled.json"):
        yield row["sentence"]
    for row in _rows(data / "ecommerce_ner_zh" / "train.jsonl.gz"):
        yield "".join(row["tokens"])
    for row in _rows(data / "attributes_to_copy_zh" / "train.jsonl.gz"):
        yield row["summary"].replace("<UNK>", "")
    for row in _rows(data / "fewclue_bustm" / "train_few_all.json"):
        yield row["sentence1"]
        yield row["sentence2"]
    with (data / "queries" / "zh.tsv").open(encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t", 1)[1]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with open_text(path) as lines:
        for line in lines:
            yield json.loads(line)
