"""What the libraries of an extra are needed for is refused where they are not installed."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from shared.cli import failures


def require_extra(extra: str, libraries: Iterable[str]) -> None:
    """Check that what an extra brings is there, without importing it.

    Args:
        extra: Its name in pyproject.toml.
        libraries: What it brings, by import name.

    Raises:
        CommandError: A library is not installed.
    """
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise failures.CommandError(
            f"not installed: {', '.join(missing)}", hint=f"pip install 'wherefore[{extra}]'"
        )
