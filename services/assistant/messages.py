"""From the assistant's values to messages."""

from typing import Final

from services.assistant.domain import Citation, HandOverReason, Reply, ReplyKind
from wherefore.assistant.v1 import answer_pb2 as pb

_KINDS: Final = {each: pb.AnswerKind.Value(f"ANSWER_KIND_{each.name}") for each in ReplyKind}
_REASONS: Final = {
    each: pb.HandOverReason.Value(f"HAND_OVER_REASON_{each.name}") for each in HandOverReason
}
_SOURCES: Final = {
    "help": pb.CITATION_SOURCE_HELP,
    "product": pb.CITATION_SOURCE_PRODUCT,
    "review": pb.CITATION_SOURCE_REVIEW,
}


def to_answer(reply: Reply) -> pb.Answer:
    """Returns a reply as a message."""
    answer = pb.Answer(
        kind=_KINDS[reply.kind],
        text=reply.text,
        language_code=reply.language,
        answer_id=reply.answer_id,
        intent=reply.intent,
        confidence=reply.confidence,
        slots=dict(reply.slots),
        missing_slot=reply.missing,
        options=reply.options,
        citations=map(_citation, reply.citations),
    )
    if reply.hand_over is not None:
        answer.hand_over.reason = _REASONS[reply.hand_over.reason]
        answer.hand_over.summary = reply.hand_over.summary
    return answer


def _citation(citation: Citation) -> pb.Citation:
    return pb.Citation(
        source=_SOURCES[citation.source],
        source_id=citation.source_id,
        field=citation.field,
        text=citation.text,
        claim=citation.claim,
    )
