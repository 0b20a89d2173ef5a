"""What the service's rules alone make of a text: the peer that learning must beat.

Lexicons, patterns and the terms of a catalogue; nothing of it has seen a labelled example.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from benchmarks.data import data_folder
from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.sentiment import read_sentiment
from services.nlu.support import support_label
from services.nlu.train.catalogue import count_terms, known_catalogues, read_products
from services.nlu.train.dictionary_baseline import dictionary_spans
from services.nlu.train.examples import Span
from services.nlu.train.reason_patterns import find_reasons
from shared.evaluation.labelled_texts import LabelledSpan, LabelledText
from shared.text.normalise import fold

Read = Callable[[str], LabelledText]


def by_rules(task: str) -> Read | None:
    """What reads the texts of a task by rules; None where no rule does."""
    return _READERS.get(task)


@cache
def _terms() -> CatalogueTerms:
    """Of the bundled catalogue and the electronics catalogue of the public data."""
    return count_terms(read_products(known_catalogues(data_folder())))


def _spans(found: tuple[Span, ...]) -> LabelledText:
    spans = frozenset(LabelledSpan(span.start, span.end, span.label) for span in found)
    return LabelledText("", spans=spans)


_READERS: dict[str, Read] = {
    "entities_zh": lambda text: _spans(dictionary_spans(text, _terms())),
    "entities_en": lambda text: _spans(dictionary_spans(text, _terms())),
    "reason_tags_zh": lambda text: _spans(find_reasons(text)),
    "sentiment_zh": lambda text: LabelledText("", read_sentiment(fold(text)).label.value),
    "intents_en": lambda text: LabelledText("", support_label(fold(text))[0]),
}
