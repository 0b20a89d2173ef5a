"""Chinese product titles with their entities, as `ecommerce_ner_zh` stores them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from services.nlu.train.examples import Example, Span
from services.nlu.train.rows import read_rows

ENTITY_LABELS: Mapping[str, str] = MappingProxyType(
    {"HCCX": "PRODUCT_TYPE", "HPPX": "BRAND", "XH": "MODEL", "MISC": "ATTRIBUTE"}
)
"""Labels of `ecommerce_ner_zh` -> names that the service speaks."""


def read_titles(path: Path) -> list[Example]:
    """Returns the titles of a file of the form of `ecommerce_ner_zh`.

    Args:
        path: One object a line: `tokens`, one code point each, and as many BIO `tags`.

    Raises:
        ValueError: Tokens and tags do not go together, or a tag is unknown.
    """
    titles: list[Example] = []
    for number, row in enumerate(read_rows(path), 1):
        try:
            tokens, tags = row["tokens"], row["tags"]
            titles.append(Example(text="".join(tokens), spans=bio_spans(tokens, tags)))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}, row {number}: {error}") from error
    return titles


def bio_spans(tokens: Sequence[str], tags: Sequence[str]) -> tuple[Span, ...]:
    """Returns the spans of BIO tags in the text that the joined tokens make.

    An I- that continues nothing begins a span, as `conlleval` reads it.

    Args:
        tokens: Texts of the tokens, of any length; nothing stands between them.
        tags: "O", "B-X" or "I-X" of each token, X being a label of `ecommerce_ner_zh`.

    Returns:
        Half-open spans in code points, in order, with the service's labels.

    Raises:
        ValueError: The lengths differ, or a tag is unknown.
    """
    if len(tokens) != len(tags):
        raise ValueError(f"{len(tokens)} tokens with {len(tags)} tags")
    spans: list[Span] = []
    begun, label, at = 0, "", 0
    for token, tag in zip(tokens, tags, strict=True):
        prefix, _, name = tag.partition("-")
        if tag != "O" and (prefix not in ("B", "I") or name not in ENTITY_LABELS):
            raise ValueError(f"tag {tag!r} is unknown")
        if label and (prefix != "I" or name != label):
            spans.append(Span(begun, at, ENTITY_LABELS[label]))
            label = ""
        if name and not label:
            begun, label = at, name
        at += len(token)
    if label:
        spans.append(Span(begun, at, ENTITY_LABELS[label]))
    return tuple(spans)
