"""An assistant with the shop's own answers, and a conversation to talk to it in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from services.assistant.assistant import Assistant, Heard
from services.assistant.conversation import Conversation
from services.assistant.help import read_help
from services.assistant.knowledge import Knowledge
from services.assistant.templates import read_templates
from shared.timing import StageTimer
from tests.services.assistant.peers import Nlu, Retrieval, peers
from tests.services.assistant.serving import caught_up
from tests.services.assistant.standing_in import Shelf, WordReader, lamp, vector_of

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


@pytest.fixture
def nlu() -> Nlu:
    return Nlu(LABELS, "Lumoria")


@pytest.fixture
async def targets(nlu: Nlu) -> AsyncIterator[dict[str, str]]:
    async with peers(nlu, Retrieval([lamp("white"), lamp("black", 249)])) as found:
        yield found


@pytest.fixture
async def stub(targets: dict[str, str], tmp_path: Path) -> AsyncIterator[Any]:
    async with caught_up(tmp_path, targets) as found:
        yield found
