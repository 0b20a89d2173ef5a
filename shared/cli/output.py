"""What goes to the terminal: consoles, JSON, and text that cannot move the cursor."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from google.protobuf.message import Message

PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


def console() -> Console:
    """Console on standard output; wide and plain when that is no terminal."""
    return _console(stderr=False)


def error_console() -> Console:
    """Console on standard error, for progress and remarks."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def clean(text: str) -> str:
    """Text on one line without control characters: a title must not drive the terminal."""
    return "".join(
        character if character.isprintable() else " " for character in " ".join(text.split())
    )


def text(value: str, style: str = "") -> Text:
    """Styled text of the catalogue's or the user's, taken literally."""
    return Text(clean(value), style=style)


def print_message(message: Message) -> None:
    """Print a message as JSON with the contract's own field names."""
    from google.protobuf.json_format import MessageToJson

    print(MessageToJson(message, preserving_proto_field_name=True, ensure_ascii=False), flush=True)


def print_line(message: Message) -> None:
    """Print a message as JSON on one line."""
    from google.protobuf.json_format import MessageToJson

    line = MessageToJson(message, indent=None, preserving_proto_field_name=True, ensure_ascii=False)
    print(line, flush=True)


def print_json(value: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2), flush=True)
