"""Translation between the NLU's values and its messages."""

from collections.abc import Iterator
from typing import Final

from services.nlu import domain
from services.nlu.analysis import Analysed
from services.nlu.domain import EntityType, IntentType, SentimentLabel
from services.nlu.learnt.attribution import AttributedWord, Attribution
from services.nlu.merge import merge, read_categories, read_entities, read_intents, read_sentiment
from services.nlu.passes import Learnt, Loss, Lost, VectorF32, Wanted
from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import query_understanding_pb2 as pb
from wherefore.nlu.v1.match_attribution_pb2 import MatchAttribution, WordAttribution
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.text_analysis_pb2 import ReasonTag, TextAnalysis

_INTENTS: Final = {kind: pb.IntentType.Value(f"INTENT_TYPE_{kind.name}") for kind in IntentType}
_ENTITIES: Final = {kind: pb.EntityType.Value(f"ENTITY_TYPE_{kind.name}") for kind in EntityType}
_SENTIMENTS: Final = {
    label: pb.SentimentLabel.Value(f"SENTIMENT_LABEL_{label.name}") for label in SentimentLabel
}
_CAUSES: Final = {loss: DegradationCause.Value(f"DEGRADATION_CAUSE_{loss.name}") for loss in Loss}
EMBEDDING_STAGE: Final = "nlu.embedding"
"""A pass that makes vectors, whether or not the query is read in the same pass."""
READING_STAGE: Final = "nlu.reading"
"""A pass that only reads the query."""
HEAD_STAGE: Final = "nlu.intent_head"
"""A head of intents over the vector of that pass."""


def to_message(understanding: domain.Understanding) -> pb.QueryUnderstanding:
    """Returns the message of what the rules say of a query; `complete` puts in the rest."""
    return pb.QueryUnderstanding(
        query=understanding.query,
        normalized_query=understanding.normalized_query,
        search_text=understanding.search_text,
        language_code=understanding.language_code,
        language_confidence=understanding.language_confidence,
        tokens=[
            pb.Token(text=t.text, start=t.start, end=t.end, normalized=t.normalized)
            for t in understanding.tokens
        ],
        constraints=map(_constraint, understanding.constraints),
        filter=understanding.filter,
        corrections=[
            pb.Correction(
                original=c.original,
                corrected=c.corrected,
                start=c.start,
                end=c.end,
                confidence=c.confidence,
                applied=c.applied,
            )
            for c in understanding.corrections
        ],
        expansions=[
            pb.Expansion(term=e.term, expansion=e.expansion, weight=e.weight)
            for e in understanding.expansions
        ],
    )


def wanted_of(request: ParseRequest, understanding: domain.Understanding) -> Wanted:
    """Returns what a query asks of the models, once the rules have read it."""
    return Wanted(
        understanding.reading_text,
        understanding.language_code,
        None if request.skip_vector else understanding.embedding_text,
    )


def complete(
    response: ParseResponse,
    request: ParseRequest,
    understanding: domain.Understanding,
    learnt: Learnt,
) -> None:
    """Adds what the models say to what the rules said already."""
    if learnt.reading is not None:
        understanding = merge(understanding, learnt.reading, learnt.reader)
        vector = learnt.reading.vector
        if request.reading_vector and vector is not None:
            response.reading_vector.CopyFrom(to_vector(vector, learnt.reader))
    _fill(response.understanding, understanding)
    if learnt.vector is not None:
        response.understanding.vector.CopyFrom(to_vector(learnt.vector, learnt.vector_model))
    response.degraded.extend(_degradations(learnt))


def to_analysis(analysed: Analysed) -> TextAnalysis:
    """Returns the message of what a model reads in a text."""
    text, model, reading = analysed.text, analysed.model, analysed.reading
    message = TextAnalysis(
        language_code=analysed.language_code,
        model=model,
        entities=map(_entity, read_entities(text, reading.entities, model)),
        categories=map(_category, read_categories(reading.category)),
        reason_tags=[
            ReasonTag(
                tag=span.label,
                text=text[span.start : span.end],
                start=span.start,
                end=span.end,
                confidence=span.confidence,
            )
            for span in reading.reason_tags
        ],
    )
    if reading.intent:
        read = read_intents(reading.intent, reading.intent_model or model)
        message.intent.CopyFrom(_intent(read[0]))
    if reading.sentiment:
        message.sentiment.CopyFrom(_sentiment(read_sentiment(reading.sentiment)))
    return message


def to_vector(values: VectorF32, model: str) -> Vector:
    """Returns the message of a vector."""
    return Vector(values=values.tolist(), model=model)


def _fill(message: pb.QueryUnderstanding, understanding: domain.Understanding) -> None:
    """Puts in what the models have a say in: intent, entities, mood and kinds of product."""
    message.intent.CopyFrom(_intent(understanding.intent))
    message.alternative_intents.extend(map(_intent, understanding.alternative_intents))
    message.entities.extend(map(_entity, understanding.entities))
    message.sentiment.CopyFrom(_sentiment(understanding.sentiment))
    message.categories.extend(map(_category, understanding.categories))


def _degradations(learnt: Learnt) -> Iterator[Degradation]:
    """Yields what the models that were lost mean for the answer."""
    if learnt.lost_reading:
        yield _degradation(READING_STAGE, "rules alone", learnt.lost_reading)
    if learnt.lost_vector:
        yield _degradation(EMBEDDING_STAGE, "no semantic vector", learnt.lost_vector)
    if learnt.lost_head:
        yield _degradation(HEAD_STAGE, "the reader's own intents", learnt.lost_head)


def _degradation(stage: str, fallback: str, lost: Lost) -> Degradation:
    return Degradation(stage=stage, cause=_CAUSES[lost.loss], fallback=fallback, detail=lost.detail)


def _sentiment(sentiment: domain.Sentiment) -> pb.Sentiment:
    return pb.Sentiment(
        label=_SENTIMENTS[sentiment.label], score=sentiment.score, confidence=sentiment.confidence
    )


def _category(category: domain.Category) -> pb.CategoryReading:
    return pb.CategoryReading(category=category.label, confidence=category.confidence)


def _intent(intent: domain.Intent) -> pb.Intent:
    return pb.Intent(
        type=_INTENTS[intent.type],
        confidence=intent.confidence,
        label=intent.label,
        model=intent.model,
    )


def _entity(entity: domain.Entity) -> pb.Entity:
    return pb.Entity(
        type=_ENTITIES[entity.type],
        text=entity.text,
        normalized=entity.normalized,
        start=entity.start,
        end=entity.end,
        confidence=entity.confidence,
        negated=entity.negated,
        source=entity.source,
    )


def _constraint(constraint: domain.Constraint) -> pb.Constraint:
    message = pb.Constraint(
        field=constraint.field,
        hard=constraint.hard,
        start=constraint.start,
        end=constraint.end,
        confidence=constraint.confidence,
    )
    if constraint.bounds:
        message.range.unit = constraint.bounds.unit
        if constraint.bounds.minimum is not None:
            message.range.min = constraint.bounds.minimum
        if constraint.bounds.maximum is not None:
            message.range.max = constraint.bounds.maximum
    elif constraint.any_of:
        message.any_of.values.extend(constraint.any_of)
    else:
        message.none_of.values.extend(constraint.none_of)
    return message


def to_attribution(made: Attribution) -> MatchAttribution:
    """Returns the message of what each word of a pair did."""
    return MatchAttribution(
        logit=made.logit,
        logit_without_left=made.without_left,
        logit_without_right=made.without_right,
        left_words=map(_word, made.left),
        right_words=map(_word, made.right),
    )


def _word(word: AttributedWord) -> WordAttribution:
    return WordAttribution(
        word=word.text, start=word.start, end=word.end, attribution=word.attribution
    )
