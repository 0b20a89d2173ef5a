"""The rules in force: read at the start and again whenever their file changes."""

import hashlib
from pathlib import Path
from typing import Final

from services.orchestrator.merchandising.occasions import Occasion, RuleIndex
from services.orchestrator.merchandising.rule_file import RuleFileError, read_rules
from services.orchestrator.merchandising.rules import Rule
from services.orchestrator.watched_book import WatchedBook

STAGE: Final = "merchandising"
_NO_RULES: Final = (RuleIndex(()), "")


class RuleBook(WatchedBook[tuple[RuleIndex, str]]):
    """Keeps the rules of a file.

    Args:
        path: The file; None for no rules at all.
        poll_seconds: Pause between looks at it.
    """

    def __init__(self, path: Path | None, poll_seconds: float = 1.0) -> None:
        super().__init__(
            path, _read, RuleFileError, poll_seconds=poll_seconds, stage=STAGE, what="rules"
        )

    @property
    def is_empty(self) -> bool:
        """Whether there are no rules."""
        return not self._index.count

    @property
    def version(self) -> str:
        """Digest of the rules in force; empty without any."""
        return (self.content or _NO_RULES)[1]

    def matching(self, occasion: Occasion) -> list[Rule]:
        """Returns the rules that apply, in the order of the file."""
        return self._index.matching(occasion)

    @property
    def _index(self) -> RuleIndex:
        return (self.content or _NO_RULES)[0]


def _read(path: Path) -> tuple[RuleIndex, str]:
    rules = read_rules(path)
    return RuleIndex(rules), hashlib.blake2b(repr(rules).encode(), digest_size=16).hexdigest()
