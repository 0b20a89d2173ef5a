"""What is noted about one call while it is answered, for its canonical line and its span.

Messages are read by their descriptors, so that a new method needs no line here.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

_BESIDE: Final = frozenset({"timings", "degraded", "errors", "facets", "applied_controls"})
"""Repeated messages that are not what an answer is a list of."""


@dataclass(slots=True)
class CallNotes:
    """Notes of one call.

    Attributes:
        degraded: Stages that the answer went without, as "stage:cause", in their order.
        items: What the answer lists (results, candidates, reasons); None where it lists nothing.
        messages: Messages answered.
        caches: Hits and look-ups of each cache.
        shed: Why it was refused before any work; empty where it was not.
        serving_config: That it asked for.
    """

    degraded: dict[str, None] = field(default_factory=dict[str, None])
    items: int | None = None
    messages: int = 0
    caches: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    shed: str = ""
    serving_config: str = ""

    def asked(self, message: Any) -> None:
        """Notes what a request asks for; nothing that a person wrote."""
        if _has(_kind(message), "serving_config"):
            self.serving_config = message.serving_config

    def answered(self, message: Any) -> None:
        """Notes what a response holds."""
        self.messages += 1
        kind = _kind(message)
        if _has(kind, "degraded"):
            for each in message.degraded:
                self.degraded[f"{each.stage}:{_cause(each)}"] = None
        if listed := _listed(kind):
            self.items = (self.items or 0) + len(getattr(message, listed))

    def looked_up(self, cache: str, *, hit: bool) -> None:
        """Notes a look-up."""
        hits, lookups = self.caches.get(cache, (0, 0))
        self.caches[cache] = (hits + hit, lookups + 1)


_current: ContextVar[CallNotes | None] = ContextVar("call_notes", default=None)


def begin_notes() -> CallNotes:
    """Returns new notes, those of everything that this task does from now on."""
    notes = CallNotes()
    _current.set(notes)
    return notes


def current_notes() -> CallNotes | None:
    """Returns the notes of the call being answered; None outside any call."""
    return _current.get()


def _kind(message: object) -> type:
    return type(message)


@lru_cache(maxsize=256)
def _has(kind: Any, name: str) -> bool:
    descriptor = getattr(kind, "DESCRIPTOR", None)
    return descriptor is not None and name in descriptor.fields_by_name


@lru_cache(maxsize=256)
def _listed(kind: Any) -> str:
    descriptor = getattr(kind, "DESCRIPTOR", None)
    for each in descriptor.fields if descriptor is not None else ():
        is_map = each.message_type is not None and each.message_type.GetOptions().map_entry
        if each.is_repeated and each.message_type and not is_map and each.name not in _BESIDE:
            return each.name
    return ""


def _cause(degradation: Any) -> str:
    value = degradation.DESCRIPTOR.fields_by_name["cause"].enum_type.values_by_number.get(
        degradation.cause
    )
    return value.name.removeprefix("DEGRADATION_CAUSE_").lower() if value else "unknown"
