"""Slots: what an answer needs of the customer, found in what was written."""

import re
from collections.abc import Mapping
from typing import Final

from services.assistant.domain import Message
from services.assistant.templates import SlotSpec

ORDER_ENTITY: Final = "order_id"
_ORDER: Final = re.compile(r"(?<![A-Za-z0-9_.,-])#?(\d{5,20})(?![A-Za-z0-9_]|[.,]\d)")
"""A number of an order, where the context says that it must be one."""
_LONGEST: Final = 200


def find_slots(message: Message, specs: Mapping[str, SlotSpec], asked: str = "") -> dict[str, str]:
    """Returns the slots that a message gives.

    Args:
        message: As the NLU read it; its entities go before shapes.
        specs: Of all slots.
        asked: The slot that the message answers, if it answers one.
    """
    found: dict[str, str] = {}
    for name, spec in specs.items():
        if spec.kind == "order":
            if value := order_id(message):
                found[name] = value
        elif name == asked and message.text.strip():
            found[name] = message.text.strip()[:_LONGEST]
    return found


def order_id(message: Message) -> str:
    """Returns the number of an order that a message gives; "" when it gives none."""
    for each in message.named:
        if each.kind == ORDER_ENTITY:
            return each.normalized or each.text
    # Misspelt or alone ("purhase 00123842", "370795561790") the NLU cannot know what it numbers.
    shaped = _ORDER.search(message.text)
    return shaped[1] if shaped else ""
