"""What requests may hold, checked before any work is done."""

from collections.abc import Sequence
from typing import Final

from shared.errors import FieldViolation, InvalidArgumentError
from shared.filter_syntax import parse_filter
from shared.language_tag import is_language_tag
from shared.security.accounts import check_account
from shared.text.control import CONTROL
from wherefore.common.v1.user_profile_pb2 import UserContext

MAX_QUERY: Final = 1_000
MAX_ID: Final = 128
MAX_ACCOUNT_ID: Final = 64


class Violations:
    """Collects what is wrong with a request, to say it all at once."""

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []

    def add(self, field: str, description: str) -> None:
        """Adds one fault."""
        self._found.append(FieldViolation(field, description))

    def text(self, field: str, text: str, limit: int, *, required: bool = False) -> None:
        """Checks a short text: its length once trimmed, and that it holds no control characters."""
        if control := CONTROL.search(text):
            self.add(field, f"control character at {control.start()}: remove it")
        elif len(text.strip()) > limit:
            self.add(field, f"at most {limit:,} characters, not {len(text.strip()):,}")
        elif required and not text.strip():
            self.add(field, f"is empty: give 1 to {limit:,} characters")

    def language(self, field: str, code: str) -> None:
        """Checks a BCP-47 tag, or nothing."""
        if code and not is_language_tag(code):
            self.add(field, "must be a BCP-47 language tag, such as en or zh-Hans")

    def user(self, user: UserContext) -> None:
        """Checks who asks.

        Raises:
            PermissionDeniedError: The credential is not for the account that is named.
        """
        self.text("user.user_id", user.user_id, MAX_ID)
        self.text("user.session_id", user.session_id, MAX_ID)
        self.text("user.account_id", user.account_id, MAX_ACCOUNT_ID)
        check_account(user.account_id)

    def product_ids(self, ids: Sequence[str], most: int) -> None:
        """Checks a list of products: not too many, none twice, each an id."""
        if len(ids) > most:
            self.add("product_ids", f"at most {most}, not {len(ids)}")
        elif len(set(ids)) < len(ids):
            self.add("product_ids", "an id is there twice")
        for index, product_id in enumerate(ids[:most]):
            self.text(f"product_ids[{index}]", product_id, MAX_ID, required=True)

    def one_of(self, field: str, value: str, known: Sequence[str]) -> None:
        """Checks a name; empty is fine."""
        if value and value not in known:
            self.add(field, "must be one of " + ", ".join(f'"{name}"' for name in known))

    def filter(self, text: str) -> None:
        """Checks the grammar of a filter; its fields are known to retrieval only."""
        if text.strip():
            try:
                parse_filter(text)
            except InvalidArgumentError as error:
                self._found.extend(error.violations)

    def raise_any(self) -> None:
        """Raises InvalidArgumentError if anything was added."""
        if self._found:
            raise InvalidArgumentError(*self._found)


def page_size(value: int, default: int, most: int) -> int:
    """Returns the size of a page: the default for 0, at most `most`.

    Raises:
        InvalidArgumentError: It is negative.
    """
    if value < 0:
        raise InvalidArgumentError.of("page_size", "must not be negative")
    return min(value, most) or default
