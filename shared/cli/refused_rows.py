"""Rows of a file that a service refused."""

from collections.abc import Iterable
from typing import Final, Protocol

from shared.cli import failures, output

SHOWN_ERRORS: Final = 20


class RefusedRow(Protocol):
    """As the services' messages have it."""

    row: int
    field: str
    reason: str


def show_refused(errors: Iterable[RefusedRow]) -> None:
    """Prints the first rows by their lines, and how many more there are."""
    ordered = sorted(errors, key=lambda error: error.row)
    for error in ordered[:SHOWN_ERRORS]:
        where = f" {error.field}" if error.field else ""
        failures.say(output.clean(f"line {error.row}{where}: {error.reason}"))
    if len(ordered) > SHOWN_ERRORS:
        failures.say(f"and {len(ordered) - SHOWN_ERRORS:,} more")
