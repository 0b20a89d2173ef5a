"""Structured logs on standard error, one event a line.

Standard output belongs to what a command answers. What other libraries log through the standard
library comes out in the same shape.
"""

import logging
import sys
from typing import Literal

import structlog
from structlog.types import Processor

from shared.privacy.personal import masked
from shared.request_context import current_request_id

# Made by the service itself, of numbers that may look like those of people.
_PLAIN = frozenset({"timestamp", "request_id", "trace_id", "span_id", "method", "peer", "level"})
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def _add_request_id(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    if request_id := current_request_id():
        event.setdefault("request_id", request_id)
    return event


def _mask_personal_data(
    _logger: object, _method: str, event: structlog.types.EventDict
) -> structlog.types.EventDict:
    for name, value in event.items():
        if isinstance(value, str) and name not in _PLAIN:
            event[name] = masked(value)
    return event


def configure_logging(level: str = "info", style: Literal["console", "json"] = "json") -> None:
    """Sets up logging for the whole process.

    Args:
        level: Least level that is logged: debug, info, warning, error or critical.
        style: "json" for machines, "console" for people.

    Raises:
        ValueError: `level` is none of those.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"log level {level!r}: say debug, info, warning, error or critical")
    renderers: list[Processor] = (
        [
            structlog.processors.format_exc_info,
            _mask_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if style == "json"
        else [
            _mask_personal_data,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                # The pretty ones print local variables, and with them what users asked.
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    )
    shared = [*_SHARED, _add_request_id]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries are only interesting when something is wrong.
    root.setLevel(max(number, logging.WARNING))
