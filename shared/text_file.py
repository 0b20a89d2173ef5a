"""Text files that may be gzipped."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal, TextIO, cast


def open_text(
    path: Path,
    mode: Literal["r", "w"] = "r",
    *,
    encoding: str = "utf-8",
    newline: str | None = None,
) -> TextIO:
    """Opens a file, gzipped where its name ends in .gz.

    Args:
        path: The file.
        mode: To read or to write.
        encoding: Of its text.
        newline: As of `open`.

    Raises:
        OSError: It cannot be opened. What is no gzip file, or broken off, is told by reading.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    return cast("TextIO", opener(path, f"{mode}t", encoding=encoding, newline=newline))
