"""Tokens of pages that are in order of a number and a name: where the page before ended."""

import base64
import binascii

from shared.errors import InvalidArgumentError


def page_token(number: int, name: str) -> str:
    """Returns the token of the page behind an entry."""
    return base64.urlsafe_b64encode(f"{number}:{name}".encode()).decode()


def read_page_token(token: str) -> tuple[int, str]:
    """Returns number and name of the entry that a page is behind.

    Raises:
        InvalidArgumentError: It is no token; names `page_token`.
    """
    try:
        told = base64.b64decode(token, altchars=b"-_", validate=True).decode()
        number, _, name = told.partition(":")
        return int(number), name
    except (ValueError, binascii.Error) as error:
        raise InvalidArgumentError.of("page_token", "is no token of a page") from error
