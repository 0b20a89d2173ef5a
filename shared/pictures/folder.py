"""Files of products' pictures: below one folder, and nowhere else.

Nothing is ever fetched from an address: a catalogue comes from outside, and would choose what the
shop's servers call.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

MOST_FILES: Final = 4
"""Of a product: the first ones, the main one among them."""
MOST_BYTES: Final = 10 * 2**20
"""Of a file."""


def path_below(root: Path, uri: str) -> Path | None:
    """Returns the file that an image's uri names; None where it names none below a folder. Blocks.

    A uri is a path below the folder, with or without "/" before it, or one that begins with "file:"
    and leads there. What leads out of it, symbolic links too, is not there.

    Args:
        root: The folder, resolved.
        uri: As the catalogue has it.
    """
    try:
        parts = urlsplit(uri)
        if parts.scheme not in ("", "file") or parts.netloc:
            return None
        named = unquote(parts.path)
        whole = Path(named)
        inside = whole if parts.scheme else root / named.lstrip("/")
        path = inside.resolve()
        there = path.is_relative_to(root) and path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return None
    return path if there else None


def bytes_of(path: Path) -> bytes:
    """Returns what is in a file; nothing where it cannot be read, or is too large. Blocks."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError:
        return b""
    return data if len(data) <= MOST_BYTES else b""
