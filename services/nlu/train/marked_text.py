"""Reads queries that people annotated: the spans are marked in the text, so none can be off by one.

A line is `[sony](BRAND) [headphones](PRODUCT_TYPE) [under $100](PRICE)`, a tab, and the intent.
Blank lines and lines that begin with "# " are for the reader of the file.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.nlu.domain import EntityType, IntentType
from services.nlu.train.examples import Example, Span
from shared.evaluation.marked_text import is_comment, parse_marked

DATA: Final = Path(__file__).parent / "data"
DEV: Final = DATA / "queries_en_dev.txt"
"""For choosing among models; never trained on."""
CHECK: Final = DATA / "queries_en_check.txt"
"""For one last look; never for choosing."""

ENTITY_TYPES: Final = tuple(kind.name for kind in EntityType if kind is not EntityType.ORDER_ID)
"""What is marked and learnt: numbers of orders are found by their pattern alone."""
_LEFT_OVER: Final = re.compile(r"\([A-Z_]{4,}\)")
_INTENTS: Final = frozenset(
    kind.value for kind in IntentType if kind not in {IntentType.UNSPECIFIED, IntentType.SUPPORT}
)
_SUPPORT: Final = re.compile(rf"{IntentType.SUPPORT}/[a-z_]+")


def read_marked(path: Path) -> list[Example]:
    """Reads a file of marked queries.

    Returns:
        One example a query, with its entities as `spans` and its intent as `label`.

    Raises:
        ValueError: A line is not well-formed, or a query stands there twice.
        FileNotFoundError: No such file.
    """
    examples: list[Example] = []
    seen: set[str] = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if is_comment(line):
            continue
        try:
            example = read_line(line)
        except ValueError as error:
            raise ValueError(f"{path.name}:{number}: {error}") from error
        if example.text in seen:
            raise ValueError(f"{path.name}:{number}: {example.text!r} stands there twice")
        seen.add(example.text)
        examples.append(example)
    return examples


def read_line(line: str) -> Example:
    """Reads one marked query.

    Raises:
        ValueError: No tab, unknown type or intent, or a mark that is not closed.
    """
    marked, tab, intent = line.rstrip("\n").partition("\t")
    if not tab or not (intent in _INTENTS or _SUPPORT.fullmatch(intent)):
        raise ValueError(f"unknown intent {intent!r}")
    text, found, _ = parse_marked(marked)
    spans = [Span(*each) for each in found]
    for span in spans:
        words = text[span.start : span.end]
        if span.label not in ENTITY_TYPES:
            raise ValueError(f"unknown type {span.label!r}")
        if words != words.strip():
            raise ValueError(f"blanks at an end of {words!r}")
    if _LEFT_OVER.search(text):
        raise ValueError(f"a mark is not closed in {marked!r}")
    if text != " ".join(text.split()):
        raise ValueError(f"needless blanks in {text!r}")
    return Example(text, tuple(spans), intent)


def write_line(example: Example) -> str:
    """Returns an example as a line that `read_line` reads."""
    marked, at = "", 0
    for span in sorted(example.spans, key=lambda span: span.start):
        words = example.text[span.start : span.end]
        marked += f"{example.text[at : span.start]}[{words}]({span.label})"
        at = span.end
    return f"{marked}{example.text[at:]}\t{example.label}"


def count_types(examples: Iterable[Example]) -> dict[str, int]:
    """Returns how many spans of each type there are, unseen types included."""
    counts = dict.fromkeys(ENTITY_TYPES, 0)
    for example in examples:
        for span in example.spans:
            counts[span.label] += 1
    return counts
