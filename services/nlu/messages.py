"""Translation between the NLU's values and its messages."""

from typing import Final

from services.nlu import domain
from services.nlu.domain import EntityType, IntentType, SentimentLabel
from services.nlu.embedding import Embedded, Loss, VectorF32
from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import query_understanding_pb2 as pb

_INTENTS: Final = {kind: pb.IntentType.Value(f"INTENT_TYPE_{kind.name}") for kind in IntentType}
_ENTITIES: Final = {kind: pb.EntityType.Value(f"ENTITY_TYPE_{kind.name}") for kind in EntityType}
_SENTIMENTS: Final = {
    label: pb.SentimentLabel.Value(f"SENTIMENT_LABEL_{label.name}") for label in SentimentLabel
}
_CAUSES: Final = {loss: DegradationCause.Value(f"DEGRADATION_CAUSE_{loss.name}") for loss in Loss}
EMBEDDING_STAGE: Final = "nlu.embedding"


def to_message(understanding: domain.Understanding) -> pb.QueryUnderstanding:
    """Returns the message of what a query means, without its vector."""
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
        intent=_intent(understanding.intent),
        alternative_intents=map(_intent, understanding.alternative_intents),
        entities=map(_entity, understanding.entities),
        sentiment=pb.Sentiment(
            label=_SENTIMENTS[understanding.sentiment.label],
            score=understanding.sentiment.score,
            confidence=understanding.sentiment.confidence,
        ),
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


def to_vector(values: VectorF32, model: str) -> Vector:
    """Returns the message of a vector."""
    return Vector(values=values.tolist(), model=model)


def to_degradation(embedded: Embedded) -> Degradation | None:
    """Returns what the missing vector means for the answer; None when none is missing."""
    if embedded.loss is None:
        return None
    return Degradation(
        stage=EMBEDDING_STAGE,
        cause=_CAUSES[embedded.loss],
        fallback="no semantic vector",
        detail=embedded.detail,
    )


def _intent(intent: domain.Intent) -> pb.Intent:
    return pb.Intent(type=_INTENTS[intent.type], confidence=intent.confidence, label=intent.label)


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
