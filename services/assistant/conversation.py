"""Memory: what was said in a conversation, bounded in time, turns and number."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from cachetools import TLRUCache

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
        user_id: Whose it is; "" for a visitor's.
        actor: The user, or the visit that spoke last, as by `actor_of`.
        touched: When its last turn was, in seconds since 1970.
        forgotten: Whether it was ended or erased: what is still said in it is not kept.
    """

    conversation_id: str
    user_id: str = ""
    actor: str = ""
    touched: float = 0.0
    forgotten: bool = False
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
        clock: In seconds since 1970: what is kept outlasts the process.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept: TLRUCache[tuple[str, str], Conversation] = TLRUCache(
            most, lambda _, conversation, __: conversation.touched + seconds, timer=clock
        )

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, user_id: str, conversation_id: str) -> Conversation | None:
        """Returns a conversation of a user; None where there is none, or it is another user's."""
        return self._kept.get((user_id, conversation_id))

    def open(self, user_id: str, conversation_id: str) -> Conversation:
        """Returns a conversation of a user, begun and kept where there is none."""
        found = self.find(user_id, conversation_id)
        if found is None:
            found = Conversation(conversation_id, user_id)
            self.keep(found)
        return found

    def keep(self, conversation: Conversation) -> None:
        """Keeps a conversation from now on for its time."""
        conversation.touched = self._clock()
        self.restore(conversation)

    def restore(self, conversation: Conversation) -> None:
        """Keeps a conversation for what is left of its time."""
        self._kept[conversation.user_id, conversation.conversation_id] = conversation

    def forget(self, user_id: str, conversation_id: str) -> bool:
        """Forgets a conversation; returns whether there was one."""
        found = self._kept.pop((user_id, conversation_id), None)
        if found is None:
            return False
        found.forgotten = True
        return True

    def forget_actors(self, actors: Collection[str]) -> None:
        """Forgets the conversations of users and visitors, as by `actor_of`."""
        for conversation in list(self._kept.values()):
            if conversation.actor in actors:
                self.forget(conversation.user_id, conversation.conversation_id)
