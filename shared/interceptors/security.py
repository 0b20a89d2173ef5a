"""Lets in calls that have the right to: see `shared.security.guard`."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

from google.protobuf.message import Message

from shared.interceptors.pipeline import Call, Context, Layer
from shared.security.guard import Attempt, Guard

_USER: Final = "user_id"
_IDS: Final = ("product_id", "product_ids", "id", "ids", "name", _USER)
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
            record.targets.extend(list(self._targets(message))[:room])

    def _targets(self, message: Message) -> Iterator[str]:
        """Yields the ids of what a request is about, of users a keyed hash; nothing else of it."""
        for name, value in _ids(message):
            yield self._guard.pseudonym(value) if name == _USER else value


def attempt_of(call: Call, context: Context) -> Attempt:
    """Returns what the guard is asked about a call."""
    return Attempt(
        method=call.method,
        metadata=dict(call.metadata),
        connection=context.auth_context() or {},
        peer=str(context.peer()),
    )


def _ids(message: Message) -> Iterator[tuple[str, str]]:
    fields = message.DESCRIPTOR.fields_by_name
    for name in _IDS:
        field = fields.get(name)
        if field is None or field.type != field.TYPE_STRING:
            continue
        value: Any = getattr(message, name)
        for each in [value] if isinstance(value, str) else value:
            if each:
                yield name, each
    for name in ("product", "user"):
        nested: Any = getattr(message, name, None)
        if isinstance(nested, Message):
            yield from _ids(nested)
