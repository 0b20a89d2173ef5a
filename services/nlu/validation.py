"""Validation: what the contract says of requests, checked before any work is done."""

from collections.abc import Iterable, Sequence
from typing import Final

from shared.errors import FieldViolation, InvalidArgumentError
from shared.language_tag import is_language_tag
from shared.text.control import CONTROL

MAX_QUERY: Final = 1_000
MAX_BATCH: Final = 128
MAX_TEXTS: Final = 256
MAX_TEXT: Final = 20_000
MAX_PAIR_TEXT: Final = 10_000
MAX_ATTRIBUTED: Final = 20


def check_query(query: str, language_code: str, path: str = "") -> None:
    """Checks one query.

    Args:
        query: The query.
        language_code: What the caller says of its language, or "".
        path: Where the request stands in a batch, such as "requests[3]."; "" for a single one.

    Raises:
        InvalidArgumentError: Names the fields at fault.
    """
    violations = [*_query(query, f"{path}query"), *_language(language_code, f"{path}language_code")]
    if violations:
        raise InvalidArgumentError(*violations)


def check_count(count: int, limit: int, field: str) -> None:
    """Checks that a list has 1 to `limit` items.

    Raises:
        InvalidArgumentError: It has not.
    """
    if not 1 <= count <= limit:
        raise InvalidArgumentError.of(field, f"give 1 to {limit} items, not {count}")


def check_texts(texts: Sequence[str], limit: int, field: str) -> None:
    """Checks texts to encode. `field` holds "{}" where the position goes.

    Raises:
        InvalidArgumentError: Names every text at fault.
    """
    violations = [
        FieldViolation(field.format(index), f"give 1 to {limit} characters")
        for index, text in enumerate(texts)
        if not text.strip() or len(text) > limit
    ]
    if violations:
        raise InvalidArgumentError(*violations)


def check_language(code: str) -> None:
    """Checks what a caller says of a language.

    Raises:
        InvalidArgumentError: It is no BCP-47 tag.
    """
    if violations := list(_language(code, "language_code")):
        raise InvalidArgumentError(*violations)


def _query(query: str, field: str) -> Iterable[FieldViolation]:
    if control := CONTROL.search(query):
        yield FieldViolation(field, f"control character at {control.start()}: remove it")
    stripped = query.strip()
    if not stripped:
        yield FieldViolation(field, "is empty: give 1 to 1,000 characters")
    elif len(stripped) > MAX_QUERY:
        yield FieldViolation(field, f"has {len(stripped)} characters: give at most 1,000")


def _language(code: str, field: str) -> Iterable[FieldViolation]:
    if code and not is_language_tag(code):
        yield FieldViolation(field, 'is no BCP-47 tag: give one such as "en" or "zh-CN", or none')
