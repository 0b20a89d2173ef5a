"""From the assistant's values to messages."""

from typing import Final

from services.assistant.conversation import Conversation
from services.assistant.domain import Citation, HandOverReason, Reply, ReplyKind
from services.assistant.learnt import Learnt, Source
from wherefore.assistant.v1 import answer_pb2 as pb
from wherefore.assistant.v1 import learnt_service_pb2 as learnt_pb
from wherefore.assistant.v1 import user_data_service_pb2 as user_pb

_KINDS: Final = {each: pb.AnswerKind.Value(f"ANSWER_KIND_{each.name}") for each in ReplyKind}
_REASONS: Final = {
    each: pb.HandOverReason.Value(f"HAND_OVER_REASON_{each.name}") for each in HandOverReason
}
_SOURCES: Final = {
    "help": pb.CITATION_SOURCE_HELP,
    "product": pb.CITATION_SOURCE_PRODUCT,
    "review": pb.CITATION_SOURCE_REVIEW,
}
_ORIGINS: Final = {
    each: learnt_pb.LearntSource.Value(f"LEARNT_SOURCE_{each.name}") for each in Source
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


def to_example(learnt: Learnt) -> learnt_pb.LearntExample:
    """Returns what was learnt as a message."""
    example = learnt_pb.LearntExample(
        id=learnt.key,
        question=learnt.question,
        answer_id=learnt.answer_id,
        answer=learnt.answer,
        intent=learnt.intent,
        language_code=learnt.language,
        source=_ORIGINS[learnt.source],
        learnt_by=learnt.learnt_by,
    )
    if learnt.learnt_ms:
        example.learnt_time.FromMilliseconds(learnt.learnt_ms)
    return example


def to_conversation(conversation: Conversation) -> user_pb.Conversation:
    """Returns a conversation as a message."""
    message = user_pb.Conversation(
        conversation_id=conversation.conversation_id,
        turns=[
            user_pb.ConversationTurn(question=turn.question, answer=to_answer(turn.reply))
            for turn in conversation.turns
        ],
        slots=conversation.slots,
    )
    message.last_message_time.FromMilliseconds(round(conversation.touched * 1_000))
    return message
