"""An assistant with the shop's own answers, and a conversation to talk to it in."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.assistant.assistant import Assistant, Heard
from services.assistant.conversation import Conversation
from services.assistant.help import read_help
from services.assistant.knowledge import Knowledge
from services.assistant.templates import read_templates
from shared.timing import StageTimer
from tests.services.assistant.standing_in import Shelf, WordReader, vector_of

LABELS = {
    "cancel": "cancel_order",
    "取消": "cancel_order",
    "where is my": "track_order",
    "human": "contact_human_agent",
    "newsletter": "newsletter_subscription",
}
NAMED = {"Lumoria": "brand", "D910": "model", "white": "colour", "black": "colour"}
Talk = Callable[..., Awaitable[Heard]]


@pytest.fixture
def knowledge() -> Knowledge:
    known = Knowledge(read_templates(), read_help())
    wanted = known.without_vector()
    known.add_vectors(wanted, [vector_of(text) for _, text in wanted])
    return known


@pytest.fixture
def conversation() -> Conversation:
    return Conversation("c1")


@pytest.fixture
def talk(knowledge: Knowledge, conversation: Conversation) -> Talk:
    """Sends a message of the conversation; `shelf` and `reader` stand in for the services."""

    async def send(text: str, *, shelf: Any = None, reader: Any = None) -> Heard:
        read_by = reader or WordReader(LABELS, NAMED)
        assistant = Assistant(knowledge, read_by, shelf or Shelf())
        return await assistant.answer(text, conversation, StageTimer())

    return send
