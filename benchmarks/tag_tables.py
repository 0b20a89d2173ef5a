"""Tables of tagged products for `benchmarks.tags`: one example a product, variants joined."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.reason.tags.examples import Example, examples_of
from services.reason.tags.passages import Passage
from services.reason.tags.vocabulary import SELLING_POINT
from shared.catalogue import icecat, luma

_NOT_IN_TEXTS = ("size", "format", "model")
ICECAT_PRODUCTS = 3_000
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Table:
    """Products with what people state of them.

    Attributes:
        name: As shown.
        language: Of the texts.
        examples: The products.
        folds: To split into.
    """

    name: str
    language: str
    examples: list[Example]
    folds: int = 5


def read_luma(folder: Path) -> Table:
    """A fashion shop; its variants share texts, so they are one product."""
    rows = luma.read(folder / "luma")
    examples = examples_of(row.product for row in rows if row.product is not None)
    return Table("luma", "en", [_texts_only(e, e.path) for e in examples])


def read_icecat(folder: Path) -> Table:
    """Electronics. Its category is made of an attribute, so it is hidden too."""
    rows = icecat.read(folder / "icecat" / "products.jsonl.gz")
    products = [row.product for row in rows if row.product is not None]
    chosen = random.Random(1).sample(products, ICECAT_PRODUCTS)  # noqa: S311 - no secret
    return Table("icecat", "en", [_texts_only(e, ()) for e in examples_of(chosen)], folds=3)


def read_copy_zh(folder: Path) -> Table:
    """Chinese advertising copy of clothes, with the attributes that it was written from."""
    examples: list[Example] = []
    for part in ("train", "dev"):
        file = folder / "attributes_to_copy_zh" / f"{part}.jsonl.gz"
        lines = gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()
        for number, line in enumerate(lines):
            row = json.loads(line)
            pairs = [tuple(pair.split("#", 1)) for pair in row["content"].split("*")]
            kinds = tuple(value for key, value in pairs if key == "类型")[:1]
            stated = frozenset((key, value) for key, value in pairs if key != "类型")
            passages = (Passage("descriptions.zh", row["summary"]),)
            examples.append(Example(f"{part}-{number}", passages, kinds, stated))
    return Table("attributes_to_copy_zh", "zh", examples)


READERS: dict[str, Callable[[Path], Table]] = {
    "luma": read_luma,
    "icecat": read_icecat,
    "zh": read_copy_zh,
}


def _texts_only(example: Example, path: tuple[str, ...]) -> Example:
    """Leaves out flags, what variants differ in, and sentences for values."""
    stated = {
        (key, value)
        for key, value in example.stated
        if key not in (*_NOT_IN_TEXTS, SELLING_POINT) and len(value) <= _LONGEST
    }
    return Example(example.id, example.passages, path, frozenset(stated))
