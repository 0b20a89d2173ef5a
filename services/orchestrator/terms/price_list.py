"""A file of prices (JSONL): one a line, for lists too long for people to write."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from services.orchestrator.terms.terms_file import PartyId, PriceRow
from shared.model_faults import told
from shared.yaml_file import YamlFileError

MAX_LINES: Final = 5_000_000
_LONGEST_LINE: Final = 20_000


class ListedPrice(PriceRow):
    """A line."""

    party: PartyId = Field(alias="for")
    """The account or the group."""


def read_prices(path: Path) -> Iterator[tuple[int, ListedPrice]]:
    """Yields the prices of a file with their lines, from 1; empty lines are passed over.

    Raises:
        YamlFileError: It cannot be read, or is wrong; the text names the line and the field.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if number > MAX_LINES:
                    raise YamlFileError(f"{path}: more than {MAX_LINES:,} lines")
                if line.strip():
                    yield number, _price(path, number, line)
    except OSError as error:
        raise YamlFileError(f"{path}: {error.strerror or error}") from error


def _price(path: Path, number: int, line: bytes) -> ListedPrice:
    if len(line) > _LONGEST_LINE:
        raise YamlFileError(f"{path}, line {number}: longer than {_LONGEST_LINE:,} bytes")
    try:
        return ListedPrice.model_validate_json(line)
    except ValidationError as error:
        raise YamlFileError(f"{path}, line {number}: {told(error)}") from error
