"""Exit codes, and errors shown as one line that says what to do."""

from __future__ import annotations

import sys
from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 3
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""


class CommandError(Exception):
    """A command cannot go on, for a reason that its user can read."""

    def __init__(self, message: str, *, hint: str = "", code: int = FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def say(line: str) -> None:
    """Write a line for people to standard error."""
    print(line, file=sys.stderr, flush=True)


def report_usage(message: str) -> int:
    """Show a wrong command line."""
    say(f"error: {' '.join(message.split())}")
    say("  see `wherefore --help`, or --help after the command")
    return USAGE


def report_interrupt() -> int:
    """Say that the user stopped the command."""
    say("interrupted")
    return INTERRUPTED


def report(error: Exception) -> int | None:
    """Show an error on standard error.

    Returns:
        The exit code; None for an error that nobody foresaw, whose traceback is worth having.
    """
    described = describe(error)
    if described is None:
        return None
    say(f"error: {described.message}")
    for line in filter(None, described.hint.split("\n")):
        say(f"  {line}")
    return described.code


def describe(error: Exception) -> CommandError | None:
    """Put an error into words; None when it is none that a user can act on."""
    if isinstance(error, CommandError):
        return error
    import grpc.aio

    from shared.errors import WhereforeError, error_from_rpc

    if isinstance(error, grpc.aio.AioRpcError):
        error = error_from_rpc(error)
    return _describe_service_error(error) if isinstance(error, WhereforeError) else None


def _describe_service_error(error: Exception) -> CommandError:
    """Put what a service answered into words."""
    import grpc

    from shared.errors import InvalidArgumentError, WhereforeError

    assert isinstance(error, WhereforeError)  # noqa: S101 - narrows the type behind a lazy import
    if isinstance(error, InvalidArgumentError):
        named = [f"{item.field or 'request'}: {item.description}" for item in error.violations]
        if named:
            return CommandError("the request was refused", hint="\n".join(named), code=USAGE)
        return CommandError(f"the request was refused: {error.message}", code=USAGE)
    message, code = error.message, FAILED
    hint = ""
    match error.code:
        case grpc.StatusCode.UNAVAILABLE:
            message, code = f"the suite does not answer: {error.message}", UNAVAILABLE
            hint = "is it up? run `wherefore up`, and `wherefore status` to see what runs"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            message, code = f"no answer in time: {error.message}", UNAVAILABLE
            hint = "give it longer with --timeout"
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            message, code = f"the suite is busy: {error.message}", UNAVAILABLE
        case grpc.StatusCode.NOT_FOUND:
            message = f"not found: {error.message}"
        case grpc.StatusCode.UNIMPLEMENTED:
            message = f"the server does not know this call: {error.message}"
            hint = "is --target another service?"
        case _:
            message = f"{error.code.name}: {error.message}"
    if error.retry_after_seconds:
        hint = f"{hint}\ntry again in {error.retry_after_seconds:g} s".strip()
    return CommandError(message, hint=hint, code=code)
