"""Merging: what the rules found in a query together with what a model reads in it.

The rules know the catalogue and the conditions that a query states; the model knows how people
write. So what the catalogue grounds stands, and the model adds what no list holds, settles what
shapes only hint at, and says what is wanted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from services.nlu.domain import (
    Category,
    Entity,
    EntityType,
    Intent,
    IntentType,
    Sentiment,
    SentimentLabel,
    Understanding,
)
from services.nlu.entities import CATALOGUE, LEXICON_KINDS, PATTERN
from services.nlu.learnt.port import LabelledSpan, Reading, Scored
from shared.text.lexicon import canonical
from shared.text.normalise import fold

MOST_CATEGORIES: Final = 5

_ENTITY_TYPES: Final = {kind.name: kind for kind in EntityType}
_INTENT_TYPES: Final = {str(kind): kind for kind in IntentType}
_LEAST_CONFIDENCE: Final = 0.5
"""Spans that the model itself doubts are left out."""

_MODEL_SHARE: Final = 0.75
_SHARE_AGAINST_CATALOGUE: Final = 0.25
"""Weight of the model's reading of the intent; the rules have the rest. A brand or a model number
that the catalogue sells is evidence that no model of language has."""

_LEAST_SUPPORT: Final = 0.2
"""Probability of support in all, from which on the model names the concern."""

_OPINION_CHARACTERS: Final = 16
"""A query this long may be an opinion though no word of the lexicon says so; a shorter one without
such a word names a thing, which the model, taught on reviews, would take sides on."""


def merge(understanding: Understanding, reading: Reading, model: str) -> Understanding:
    """Returns what a query means by rules and model together.

    Args:
        understanding: What the rules say.
        reading: What the model says of `understanding.reading_text`.
        model: Its name and version, which its entities name as their source.
    """
    spans = _placed(understanding, reading.entities)
    entities = merge_entities(understanding, spans, model)
    intents = merge_intents(understanding, reading.intent, reading.intent_model or model)
    return replace(
        understanding,
        entities=tuple(entities),
        intent=intents[0],
        alternative_intents=tuple(intents[1:]),
        sentiment=_merge_sentiment(understanding, reading.sentiment),
        categories=read_categories(reading.category),
    )


def merge_entities(
    understanding: Understanding, spans: Iterable[LabelledSpan], model: str
) -> list[Entity]:
    """Returns entities without overlaps, in order.

    The rules' own stand, and the model's fill the gaps. One exception: a model number that is known
    by its shape alone gives way to a span that the model is surer of.

    Args:
        understanding: What the rules say.
        spans: What the model found, in code points of the query.
        model: Its name and version.
    """
    kept = list(understanding.entities)
    for span in spans:
        kind = _ENTITY_TYPES.get(span.label)
        if kind is None or span.confidence < _LEAST_CONFIDENCE:
            continue
        rivals = [item for item in kept if item.start < span.end and span.start < item.end]
        if all(_is_guess(item) and item.confidence < span.confidence for item in rivals):
            kept = [item for item in kept if item not in rivals]
            kept.append(_entity(understanding, kind, span, model))
    return sorted(kept, key=lambda entity: entity.start)


def merge_intents(understanding: Understanding, scored: Scored, model: str = "") -> list[Intent]:
    """Returns the readings of the intent, best first; their confidences sum to 1.

    Args:
        understanding: What the rules say.
        scored: The model's labels and probabilities; empty where it has no such head.
        model: Its name and version.
    """
    ruled = [understanding.intent, *understanding.alternative_intents]
    if not scored or understanding.intent.type is IntentType.UNSPECIFIED:
        return ruled
    share = _SHARE_AGAINST_CATALOGUE if _names_one_product(understanding) else _MODEL_SHARE
    read = read_intents(scored, model)
    weights = {item.type: item.confidence * (1.0 - share) for item in ruled}
    for item in read:
        weights[item.type] = weights.get(item.type, 0.0) + item.confidence * share
    labels = {item.type: (item.label, item.model) for item in ruled}
    # The model's own finer label wins, unless it hardly sees such an intent.
    labels |= {
        item.type: (item.label, item.model)
        for item in read
        if item.confidence >= _LEAST_SUPPORT or not labels.get(item.type, ("", ""))[0]
    }
    total = sum(weights.values())
    merged = [
        Intent(kind, weight / total, *labels.get(kind, ("", "")))
        for kind, weight in weights.items()
    ]
    return sorted(merged, key=lambda item: -item.confidence)


def read_intents(scored: Scored, model: str = "") -> list[Intent]:
    """Returns intents, best first, of labels such as "support/track_order".

    Labels of one type are added up; the finer label is the likeliest of them.

    Args:
        scored: Labels with probabilities, best first.
        model: Who gave them.
    """
    totals: dict[IntentType, float] = {}
    labels: dict[IntentType, str] = {}
    for label, probability in scored:  # best first
        name, _, finer = label.partition("/")
        kind = _INTENT_TYPES.get(name, IntentType.UNSPECIFIED)
        totals[kind] = totals.get(kind, 0.0) + probability
        labels.setdefault(kind, finer)
    intents = [
        Intent(kind, total, labels[kind], model if labels[kind] else "")
        for kind, total in totals.items()
    ]
    return sorted(intents, key=lambda item: -item.confidence)


def read_sentiment(scored: Scored) -> Sentiment:
    """Returns the mood: the likelier class, and from -1 to 1 how far apart the classes are."""
    probabilities = dict(scored)
    label, confidence = scored[0]
    score = probabilities.get("positive", 0.0) - probabilities.get("negative", 0.0)
    return Sentiment(SentimentLabel(label), score, confidence)


def read_categories(scored: Scored) -> tuple[Category, ...]:
    """Returns the likeliest kinds of product."""
    return tuple(Category(label, share) for label, share in scored[:MOST_CATEGORIES])


def read_entities(text: str, spans: Sequence[LabelledSpan], model: str) -> list[Entity]:
    """Returns all that a model found in a text, as entities."""
    return [
        _named(text[span.start : span.end], _ENTITY_TYPES[span.label], span, model)
        for span in spans
        if span.label in _ENTITY_TYPES
    ]


def _merge_sentiment(understanding: Understanding, scored: Scored) -> Sentiment:
    ruled = understanding.sentiment
    # A long list of what is wanted is no opinion: the model knows no neutral, so it is not asked.
    listed = sum(entity.end - entity.start for entity in understanding.entities)
    told = len(understanding.reading_text) - listed
    long_text = told >= _OPINION_CHARACTERS and not understanding.constraints
    speaks = ruled.score != 0.0 or long_text
    return read_sentiment(scored) if scored and speaks else ruled


def _placed(understanding: Understanding, spans: Iterable[LabelledSpan]) -> Iterator[LabelledSpan]:
    """The spans of the text that was read, as spans of the query."""
    places = understanding.places
    for span in spans:
        yield replace(span, start=places[span.start][0], end=places[span.end - 1][1])


def _is_guess(entity: Entity) -> bool:
    return entity.source == PATTERN and entity.type is EntityType.MODEL and not entity.negated


def _names_one_product(understanding: Understanding) -> bool:
    return understanding.intent.type is IntentType.NAVIGATIONAL and any(
        entity.source == CATALOGUE for entity in understanding.entities
    )


def _entity(
    understanding: Understanding, kind: EntityType, span: LabelledSpan, model: str
) -> Entity:
    entity = _named(understanding.query[span.start : span.end], kind, span, model)
    excluded = any(
        condition.none_of and condition.start <= span.start and span.end <= condition.end
        for condition in understanding.constraints
    )
    return replace(entity, negated=excluded)


def _named(text: str, kind: EntityType, span: LabelledSpan, model: str) -> Entity:
    lexicon = LEXICON_KINDS.get(kind)
    value = (canonical(lexicon, text) if lexicon else None) or fold(text)
    return Entity(kind, text, value, span.start, span.end, span.confidence, model)
