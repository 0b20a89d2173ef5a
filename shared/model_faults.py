"""What is wrong with data that does not fit a pydantic model, for the people who wrote it."""

from pydantic import ValidationError


def first_fault(error: ValidationError) -> tuple[tuple[int | str, ...], str]:
    """Returns the path of the first value at fault, and what is wrong with it.

    The value itself is not in the message.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    return first["loc"], first["msg"].removeprefix("Value error, ")


def told(error: ValidationError) -> str:
    """Returns the first fault in one line: "layers.0.name: is required"."""
    path, message = first_fault(error)
    return f"{dotted(path)}: {message}" if path else message


def dotted(path: tuple[int | str, ...]) -> str:
    """Returns a path as "layers.0.name"."""
    return ".".join(str(part) for part in path)
