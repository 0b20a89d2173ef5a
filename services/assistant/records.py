"""A conversation as it is kept on disk: one JSON object."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from services.assistant.conversation import Conversation, Turn


@dataclass(frozen=True, slots=True)
class _Record:
    conversation_id: str
    user_id: str
    actor: str
    touched: float
    turns: tuple[Turn, ...]
    slots: Mapping[str, str]
    waiting_for: str
    waiting_answer: str
    asked_times: int
    product_id: str
    waiting_question: str
    dropped: int


_ADAPTER: TypeAdapter[_Record] = TypeAdapter(_Record)


def to_bytes(conversation: Conversation) -> bytes:
    """Returns a conversation as it is kept."""
    return _ADAPTER.dump_json(
        _Record(
            conversation.conversation_id,
            conversation.user_id,
            conversation.actor,
            conversation.touched,
            tuple(conversation.turns),
            dict(conversation.slots),
            conversation.waiting_for,
            conversation.waiting_answer,
            conversation.asked_times,
            conversation.product_id,
            conversation.waiting_question,
            conversation.dropped,
        )
    )


def from_bytes(kept: bytes) -> Conversation:
    """Returns the conversation that `to_bytes` wrote.

    Raises:
        ValueError: It is none.
    """
    try:
        record = _ADAPTER.validate_json(kept)
    except ValidationError as error:
        raise ValueError(f"no conversation: {error.error_count()} fields are wrong") from error
    made = Conversation(
        record.conversation_id,
        record.user_id,
        record.actor,
        record.touched,
        slots=dict(record.slots),
        waiting_for=record.waiting_for,
        waiting_answer=record.waiting_answer,
        asked_times=record.asked_times,
        product_id=record.product_id,
        waiting_question=record.waiting_question,
        dropped=record.dropped,
    )
    made.turns.extend(record.turns)
    return made
