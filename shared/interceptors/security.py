"""Lets in calls that have the right to: see `shared.security.guard`."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from google.protobuf.message import Message

from shared.interceptors.pipeline import Call, Context, Layer
from shared.security.guard import Attempt, Guard

_IDS: Final = ("product_id", "product_ids", "id", "ids", "name")
_MOST_TARGETS: Final = 20


class SecurityLayer(Layer):
    """Runs calls for their caller, and refuses those that may not be.

    Args:
        guard: Decides.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._attempts: dict[int, Attempt] = {}

    @asynccontextmanager
    async def around(self, call: Call, context: Context) -> AsyncGenerator[None, None]:
        """See `Layer.around`."""
        attempt = attempt_of(call, context)
        self._attempts[id(call)] = attempt
        try:
            async with self._guard.admit(attempt):
                yield
        finally:
            del self._attempts[id(call)]

    def received(self, call: Call, message: Any) -> None:
        """See `Layer.received`."""
        record = self._attempts[id(call)].record
        record.messages += 1
        room = _MOST_TARGETS - len(record.targets)
        if room > 0 and isinstance(message, Message):
            record.targets.extend(list(_targets(message))[:room])


def attempt_of(call: Call, context: Context) -> Attempt:
    """Returns what the guard is asked about a call."""
    return Attempt(
        method=call.method,
        metadata=dict(call.metadata),
        connection=context.auth_context() or {},
        peer=str(context.peer()),
        streams=call.response_streaming,
    )


def _targets(message: Message) -> Iterator[str]:
    """Yields the ids of what a request is about; nothing else that stands in it."""
    fields = message.DESCRIPTOR.fields_by_name
    for name in _IDS:
        field = fields.get(name)
        if field is None or field.type != field.TYPE_STRING:
            continue
        value: Any = getattr(message, name)
        yield from ([value] if isinstance(value, str) and value else value or ())
    nested: Any = getattr(message, "product", None)
    if isinstance(nested, Message):
        yield from _targets(nested)
