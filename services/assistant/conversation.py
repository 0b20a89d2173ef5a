"""Memory: what was said in a conversation, bounded in time, turns and number."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cachetools import TTLCache

from services.assistant.domain import Language, Reply, ReplyKind

MOST_TURNS: Final = 40


@dataclass(frozen=True, slots=True)
class Turn:
    """One question with its answer."""

    question: str
    reply: Reply


@dataclass(slots=True)
class Conversation:
    """What is known of a conversation.

    Attributes:
        conversation_id: Given by the client, or made.
        slots: What the customer gave so far, such as the order.
        waiting_for: Slot that was asked for last, and the answer that waits for it.
        product_id: What was talked about last.
    """

    conversation_id: str
    turns: deque[Turn] = field(default_factory=lambda: deque[Turn](maxlen=MOST_TURNS))
    slots: dict[str, str] = field(default_factory=dict[str, str])
    waiting_for: str = ""
    waiting_answer: str = ""
    asked_times: int = 0
    product_id: str = ""
    waiting_question: str = ""
    """A question about a product that waits until the product is named."""
    dropped: int = 0
    """Turns that were let go."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Messages that come at once are answered one after another."""

    @property
    def language(self) -> Language:
        """Of its last answer; "en" before there is one."""
        return self.turns[-1].reply.language if self.turns else "en"

    @property
    def handed_over(self) -> bool:
        """Whether a person was asked for at the last turn."""
        return bool(self.turns) and self.turns[-1].reply.kind is ReplyKind.HAND_OVER

    def add(self, question: str, reply: Reply) -> None:
        """Remembers a turn; the oldest goes beyond MOST_TURNS."""
        self.dropped += len(self.turns) == MOST_TURNS
        self.turns.append(Turn(question, reply))

    def no_longer_waiting(self) -> None:
        """Forgets what was asked back."""
        self.waiting_for = self.waiting_answer = self.waiting_question = ""
        self.asked_times = 0


class Memory:
    """Conversations by user and id. For one event loop; each tenant has one of its own.

    Args:
        most: Conversations; the one longest untouched goes beyond.
        seconds: How long one is kept after its last turn.
        clock: In seconds.
    """

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept: TTLCache[tuple[str, str], Conversation] = TTLCache(most, seconds, timer=clock)

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, user_id: str, conversation_id: str) -> Conversation | None:
        """Returns a conversation of a user; None where there is none, or it is another user's."""
        return self._kept.get((user_id, conversation_id))

    def open(self, user_id: str, conversation_id: str) -> Conversation:
        """Returns a conversation of a user, begun and kept where there is none."""
        found = self.find(user_id, conversation_id)
        if found is None:
            found = Conversation(conversation_id)
            self.keep(user_id, found)
        return found

    def keep(self, user_id: str, conversation: Conversation) -> None:
        """Keeps a conversation from now on for its time."""
        self._kept[user_id, conversation.conversation_id] = conversation

    def forget(self, user_id: str, conversation_id: str) -> bool:
        """Forgets a conversation; returns whether there was one."""
        return self._kept.pop((user_id, conversation_id), None) is not None
