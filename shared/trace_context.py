"""Which trace the request being answered belongs to: W3C Trace Context, level 1.

https://www.w3.org/TR/trace-context/. It needs no library and is always on, so that the lines of all
services about one request share a trace id, and a caller's trace goes on behind us, whether or not
this suite exports spans of its own (`shared.tracing`).
"""

import re
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Self

TRACEPARENT_KEY = "traceparent"
"""Metadata key of requests, and in the trailing metadata of responses."""

_SAMPLED = 0x01
_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class TraceParent:
    """A place in a trace.

    Attributes:
        trace_id: 32 hexadecimal digits, the same for the whole trace.
        span_id: 16 hexadecimal digits, of what the next span is part of.
        sampled: Whether the caller records it.
    """

    trace_id: str
    span_id: str
    sampled: bool

    @classmethod
    def new(cls) -> Self:
        """Starts a trace that nobody records."""
        return cls(secrets.token_hex(16), secrets.token_hex(8), sampled=False)

    @classmethod
    def parse(cls, header: str | bytes | None) -> Self | None:
        """Returns what a header says; None when it is missing or no valid `traceparent`."""
        found = _FORM.fullmatch(header) if isinstance(header, str) else None
        if found is None:
            return None
        version, trace_id, span_id, flags, more = found.groups()
        # Version ff is forbidden, and only versions to come may say more.
        forbidden = version == "ff" or (version == "00" and more is not None)
        if forbidden or not int(trace_id, 16) or not int(span_id, 16):
            return None
        return cls(trace_id, span_id, sampled=bool(int(flags, 16) & _SAMPLED))

    def header(self) -> str:
        """Returns it as a `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


_current: ContextVar[TraceParent | None] = ContextVar("traceparent", default=None)


def current_trace() -> TraceParent | None:
    """Returns the innermost span of the request being answered; None outside any request."""
    return _current.get()


def set_current_trace(trace: TraceParent | None) -> None:
    """Makes `trace` the parent of everything that this task does from now on."""
    _current.set(trace)
