"""Real query strings labelled by a dictionary of the catalogues' own words, the sure ones alone."""

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from services.nlu.domain import IntentType
from services.nlu.patterns import find_clothing_sizes, find_measures, find_models
from services.nlu.train.english_catalogue import Good
from services.nlu.train.english_kinds import split_kinds
from services.nlu.train.english_phrases import PhraseBook, split_words
from services.nlu.train.english_words import read_shops
from services.nlu.train.examples import Example, Span
from shared.text.lexicon import LexiconKind
from shared.text.lexicon.kinds import read_entries

_LEXICONS: Final = {
    LexiconKind.COLOUR: "COLOUR",
    LexiconKind.MATERIAL: "MATERIAL",
    LexiconKind.AUDIENCE: "AUDIENCE",
    LexiconKind.OCCASION: "OCCASION",
    LexiconKind.PRODUCT_TYPE: "PRODUCT_TYPE",
    LexiconKind.BRAND: "BRAND",
    LexiconKind.FEATURE: "ATTRIBUTE",
}
_SHOP_KINDS: Final = {
    "type": "PRODUCT_TYPE",
    "brand": "BRAND",
    "attribute": "ATTRIBUTE",
    "material": "MATERIAL",
    "colour": "COLOUR",
    "audience": "AUDIENCE",
    "occasion": "OCCASION",
}
_MIN_PRODUCTS: Final = 5
"""Products of a maker before its name counts as a brand of the catalogue."""
_SMALL: Final = frozenset(
    {"for", "with", "and", "the", "of", "in", "a", "an", "&", "all", "to", "or"}
)
_UNSURE: Final = "?"


class WeakLabeller:
    """Labels a query when every word of it is known and none is open to two readings.

    Args:
        goods: Whose makers and kinds are known besides the lists.
    """

    def __init__(self, goods: Sequence[Good]) -> None:
        labels: dict[str, set[str]] = defaultdict(set)
        for phrase, label in _phrases(goods):
            labels[" ".join(word for word, _, _ in split_words(phrase))].add(label)
        self._book = PhraseBook(
            ((phrase, _one(found)) for phrase, found in labels.items()), with_plurals=True
        )

    def label(self, text: str) -> Example | None:
        """Returns the query with its entities, or None where the dictionary is not sure."""
        spans = list(_shapes(text))
        for found in self._book.find(text):
            if not any(_meet(span, found.start, found.end) for span in spans):
                spans.append(Span(found.start, found.end, found.value))
        spans.sort(key=lambda span: span.start)
        if not spans or any(span.label == _UNSURE for span in spans):
            return None
        for word, start, end in split_words(text):
            if word not in _SMALL and not any(_meet(span, start, end) for span in spans):
                return None
        lone_brand = len(spans) == 1 and spans[0].label == "BRAND"
        intent = IntentType.NAVIGATIONAL if lone_brand else IntentType.PRODUCT_SEARCH
        return Example(text, tuple(split_kinds(text, spans)), str(intent))


def real_queries(data: Path) -> list[str]:
    """Returns the English query strings of the data sets, each once.

    Raises:
        FileNotFoundError: A file is missing.
    """
    queries: list[str] = []
    for name in ("en_suggestions.json", "en_suggestions_electronics.json"):
        rows = json.loads((data / "queries" / name).read_text("utf-8"))
        queries.extend(row["query"] for row in rows)
    with (data / "queries" / "en_home_with_class.csv").open(encoding="utf-8", newline="") as lines:
        queries.extend(row["query"] for row in csv.DictReader(lines))
    return list(dict.fromkeys(" ".join(query.split()) for query in queries if query.strip()))


def _phrases(goods: Sequence[Good]) -> Iterator[tuple[str, str]]:
    for shop in read_shops():
        for kind, label in _SHOP_KINDS.items():
            for word in shop.words[kind]:
                yield word, label
        for _, model in shop.models:
            yield model, "MODEL"
    for lexicon, label in _LEXICONS.items():
        for entry in read_entries(lexicon):
            if entry.form.isascii() and not entry.whole_only:
                yield entry.form, label
    makers = Counter(brand for good in goods for brand in good.words("BRAND"))
    yield from ((brand, "BRAND") for brand, count in makers.items() if count >= _MIN_PRODUCTS)
    yield from ((good.kind, "PRODUCT_TYPE") for good in goods if good.kind)


def _one(labels: Iterable[str]) -> str:
    """The label of a phrase; the guidelines settle some that stand on two lists."""
    found = set(labels)
    if found == {"ATTRIBUTE", "OCCASION"}:
        return "OCCASION"
    return found.pop() if len(found) == 1 else _UNSURE


def _shapes(text: str) -> Iterator[Span]:
    folded = text.lower()
    if len(folded) != len(text):
        return
    taken: list[Span] = []
    for measure in find_measures(folded):
        taken.append(Span(measure.start, measure.end, "SIZE"))
    for _, start, end in find_clothing_sizes(folded):
        taken.append(Span(start, end, "SIZE"))
    for _, start, end in find_models(folded):
        if not any(_meet(span, start, end) for span in taken):
            taken.append(Span(start, end, "MODEL"))
    yield from taken


def _meet(span: Span, start: int, end: int) -> bool:
    return span.start < end and start < span.end
