"""Finds the reader for a catalogue file and reads it."""

from collections.abc import Callable, Iterator
from pathlib import Path

from shared.catalogue import google_merchant, icecat, jsonl, luma, table
from shared.catalogue.files import READ_ERRORS, open_binary, read_lines
from shared.catalogue.rows import CatalogueError, Row

_READERS: dict[str, Callable[[Path], Iterator[Row]]] = {
    "icecat": icecat.read,
    "luma": luma.read,
    "csv": table.read,
    "jsonl": jsonl.read,
    "google-merchant": google_merchant.read,
}
FORMATS = tuple(_READERS)
_SNIFF_BYTES = 65_536


def read_catalogue(path: Path, format: str | None = None) -> Iterator[Row]:  # noqa: A002
    """Yield every row of a catalogue; a bad one carries its error and reading goes on.

    Args:
        path: The file, gzipped or not; for luma the folder or a file in it.
        format: One of FORMATS; guessed from name and content when None.

    Raises:
        CatalogueError: The file cannot be read, or its format is unknown.
    """
    name = format or guess_format(path)
    if name not in _READERS:
        raise CatalogueError(f"unknown format {name!r}; formats: {', '.join(FORMATS)}")
    return _READERS[name](path)


def guess_format(path: Path) -> str:
    """Guess the format of `path` from its name and first bytes.

    Raises:
        CatalogueError: It looks like none of them; the message lists them.
    """
    if path.is_dir():
        if (path / luma.CONFIGURABLE).exists() or any(path.glob(luma.SIMPLE)):
            return "luma"
        raise CatalogueError(f"{path} is a folder, and only luma is read from one")
    if "SampleData_" in path.name:
        return "luma"
    head = _head(path).lstrip()
    first = head.split(b"\n", 1)[0]
    if head.startswith(b"{"):
        return "icecat" if b'"attr_t_' in first or b'"supplier"' in first else "jsonl"
    if head.startswith(b"<") and (b"<rss" in head or b"<feed" in head or b"base.google" in head):
        return "google-merchant"
    if b"\t" in first and b"id" in first.lower():
        return "google-merchant"
    if b"," in first and b"id" in first.lower() and b"title" in first.lower():
        return "csv"
    raise CatalogueError(f"cannot tell the format of {path}; name one of: {', '.join(FORMATS)}")


def _head(path: Path) -> bytes:
    with open_binary(path) as file:
        try:
            return file.read(_SNIFF_BYTES).removeprefix(b"\xef\xbb\xbf")
        except READ_ERRORS as error:
            raise CatalogueError(f"{path} is damaged: {error}") from error


def count_rows(path: Path, format: str | None = None) -> int | None:  # noqa: A002
    """Return how many rows a line format has, or None where counting means reading it all."""
    if (format or guess_format(path)) not in ("icecat", "jsonl"):
        return None
    return sum(1 for _, line in read_lines(path) if line.strip())


def bundled_catalogue_path() -> Path:
    """Return the path of the catalogue that comes with Wherefore."""
    return Path(__file__).parent / "data" / "catalogue.jsonl.gz"
