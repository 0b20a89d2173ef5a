"""The assistant: from a message to a reply. Decides; knows neither gRPC nor the disk.

A known answer that is sure goes first: a template, a help article or what was learnt. Else a
question about a product is answered from the catalogue, with evidence for all that is said. What is
missing is asked for; what is not sure goes to a person, with a summary of the conversation.
"""

from dataclasses import dataclass, field

from services.assistant.conversation import Conversation
from services.assistant.domain import Reply
from services.assistant.knowledge import Knowledge
from services.assistant.ports import Products, Reader, Timer
from services.assistant.turn import Turn
from shared.errors import WhereforeError


@dataclass(slots=True)
class Heard:
    """A reply, and what was lost on the way: stage and error."""

    reply: Reply
    lost: list[tuple[str, WhereforeError]] = field(default_factory=list[tuple[str, WhereforeError]])


class Assistant:
    """Answers messages.

    Args:
        knowledge: All known answers.
        reader: The NLU.
        products: The catalogue.
    """

    def __init__(self, knowledge: Knowledge, reader: Reader, products: Products) -> None:
        self._knowledge = knowledge
        self._reader = reader
        self._products = products

    async def answer(
        self, text: str, conversation: Conversation, timer: Timer, language: str = ""
    ) -> Heard:
        """Answers a message, and remembers it in the conversation.

        Args:
            text: As written, checked.
            conversation: What was said before; changed.
            timer: Measures the stages.
            language: BCP-47; told from the text when empty.
        """
        with timer.stage("assistant.read"):
            reading = await self._reader.read(text, language)
        turn = Turn(
            self._knowledge,
            self._reader,
            self._products,
            conversation,
            reading=reading,
            timer=timer,
        )
        reply = await turn.reply()
        conversation.add(text, reply)
        return Heard(reply, turn.lost)
