"""Opens catalogue files: gzip or not, UTF-8 with or without a mark."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

from shared.catalogue.rows import CatalogueError

MAX_LINE_BYTES = 8 * 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
READ_ERRORS = (EOFError, gzip.BadGzipFile, zlib.error)
"""What a damaged gzip file raises while it is read."""


def open_binary(path: Path) -> BinaryIO:
    """Open `path` for reading, unpacked if its first bytes are gzip's.

    Raises:
        CatalogueError: There is no such file, or it may not be read.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
        return cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb")
    except OSError as error:
        raise CatalogueError(f"cannot read {path}: {error.strerror or error}") from error


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each line with its number from 1; a damaged gzip tail ends with CatalogueError."""
    with open_binary(path) as file:
        number = 0
        try:
            while line := file.readline(MAX_LINE_BYTES):
                number += 1
                yield number, line
        except READ_ERRORS as error:
            raise CatalogueError(f"{path} is damaged after line {number}: {error}") from error


def text_lines(path: Path) -> Iterator[str]:
    """Yield lines as text; bytes that are not UTF-8 become U+FFFD, for the csv module."""
    for number, line in read_lines(path):
        yield line.decode("utf-8-sig" if number == 1 else "utf-8", "replace")
