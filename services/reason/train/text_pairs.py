"""Fluent text beside the frames: advertising copy over attributes, and sentences of reviews.

Neither is served. They teach the model how sentences of shops run, under marks of their own, so
that what they say cannot leak into a reason.
"""

import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_ATTRIBUTES: Final = 8
_SENTENCE_ZH: Final = re.compile(r"[^。！？!?；;~～…\s]{6,44}")
_SENTENCE_EN: Final = re.compile(r"[^.!?]+[.!?]")
_PLAIN_ZH: Final = re.compile(r"[\u4e00-\u9fff，、“”：]+")
_PLAIN_EN: Final = re.compile(r"[A-Za-z' ,;]+[.!?]")
_WORDS_EN: Final = range(4, 26)
_SUPERLATIVES: Final = re.compile(r"最|第一|顶级|绝对|保证|\b(?:best|perfect|guarantee)", re.I)


@dataclass(frozen=True, slots=True)
class CopyPair:
    """Attributes and a sentence of copy that names some of them.

    Attributes:
        attributes: Key and value, MAX_ATTRIBUTES at most.
        copy: The sentence; the value of attribute n stands in it as "<an>", from 1.
    """

    attributes: tuple[tuple[str, str], ...]
    copy: str


def copy_pairs(path: Path) -> Iterator[tuple[str, CopyPair]]:
    """Yields pairs out of AdvertiseGen's rows, with the text of their row's attributes as id.

    Args:
        path: JSON lines, gzipped: content "key#value*key#value", summary.
    """
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            pairs = [part.partition("#") for part in row["content"].split("*")]
            attributes = tuple((key, value) for key, _, value in pairs)[:MAX_ATTRIBUTES]
            for sentence in _SENTENCE_ZH.findall(row["summary"]):
                copy = _with_slots(sentence.strip("，、"), attributes)
                if "<a" in copy:
                    yield row["content"], CopyPair(attributes, copy + "。")


def _with_slots(sentence: str, attributes: tuple[tuple[str, str], ...]) -> str:
    if not _PLAIN_ZH.fullmatch(sentence) or _SUPERLATIVES.search(sentence):
        return ""
    longest = sorted(enumerate(attributes, start=1), key=lambda item: -len(item[1][1]))
    for number, (_, value) in longest:
        sentence = sentence.replace(value, f"<a{number}>", 1)
    return sentence


def reviews_zh(path: Path) -> Iterator[str]:
    """Yields plain sentences of favourable Chinese reviews; JSON lines, gzipped."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["label"] != 1:
                continue
            for sentence in _SENTENCE_ZH.findall(row["review"]):
                if _PLAIN_ZH.fullmatch(sentence) and not _SUPERLATIVES.search(sentence):
                    yield sentence.strip("，、") + "。"


def reviews_en(path: Path) -> Iterator[tuple[str, str]]:
    """Yields plain sentences of English reviews with the id of their product.

    Args:
        path: CSV with the columns prod_id and review.
    """
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for found in _SENTENCE_EN.findall(row["review"]):
                sentence = " ".join(found.split())
                plain = _PLAIN_EN.fullmatch(sentence) and not _SUPERLATIVES.search(sentence)
                if plain and len(sentence.split()) in _WORDS_EN:
                    yield row["prod_id"], sentence
