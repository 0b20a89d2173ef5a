"""What users searched for, by how many of them. What fewer than five typed is never shown."""

import math
import re
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from services.orchestrator.completion.index import Entry, Source
from services.orchestrator.event_store import actor_hash, actor_of, event_seconds
from shared.privacy.personal import has_mask, personal_data
from shared.text.normalise import fold
from wherefore.common.v1.user_event_pb2 import UserEvent

MIN_USERS: Final = 5
"""k of k-anonymity (Sweeney, 2002): different users who must have typed a query."""
KEPT_SECONDS: Final = 90 * 86_400.0
MAX_QUERIES: Final = 50_000
# More users than this make a query no more popular.
_MAX_USERS: Final = 1_000
_LONGEST: Final = 60
# Addresses and numbers of people and orders are nobody else's query, however many typed them.
_PERSONAL: Final = re.compile(r"@|://|\d[\d -]{6,}\d")


class SearchCounts:
    """Users by query, over the last 90 days. Not thread-safe: use it from one event loop."""

    def __init__(self) -> None:
        self._users: defaultdict[str, dict[bytes, float]] = defaultdict(dict)
        self.changes = 0
        """Grows with what a snapshot may tell."""

    def count(self, event: UserEvent) -> None:
        """Counts one event, of whatever type, that names a query."""
        query = fold(event.query)
        actor = actor_of(event.user_id, event.session_id)
        if not query or len(query) > _LONGEST or not actor:
            return
        if _PERSONAL.search(query) or has_mask(query) or personal_data(query):
            return
        users = self._users[query]
        user = actor_hash(actor)
        if user in users or len(users) < _MAX_USERS:
            users[user] = max(users.get(user, 0.0), event_seconds(event))
            self.changes += 1
        if len(self._users) > MAX_QUERIES:
            self._forget()

    def uncount(self, event: UserEvent) -> None:
        """Takes back an event, unless its user searched for the same later."""
        query = fold(event.query)
        user = actor_hash(actor_of(event.user_id, event.session_id))
        users = self._users.get(query, {})
        if users.get(user, math.inf) <= event_seconds(event):
            del users[user]
            self.changes += 1
            if not users:
                del self._users[query]

    def fresh(self) -> "SearchCounts":
        """Returns counts that have counted nothing."""
        return SearchCounts()

    def become(self, other: "SearchCounts") -> None:
        """Takes over what another has counted."""
        self._users = other._users
        self.changes += 1

    def snapshot(self) -> list[tuple[str, list[float]]]:
        """Returns when users searched for what at least five did, for `entries` on a thread."""
        return [
            (query, list(users.values()))
            for query, users in self._users.items()
            if len(users) >= MIN_USERS
        ]

    def _forget(self) -> None:
        """Forgets a tenth of the queries: those of the fewest users, the longest ago."""
        order = sorted(
            self._users,
            key=lambda query: (len(self._users[query]), max(self._users[query].values())),
        )
        for query in order[: MAX_QUERIES // 10]:
            del self._users[query]


def entries(snapshot: Iterable[tuple[str, list[float]]], now: float | None = None) -> list[Entry]:
    """Returns the queries that at least five different users made in the last 90 days."""
    oldest = (time.time() if now is None else now) - KEPT_SECONDS
    counts = ((query, sum(at >= oldest for at in times)) for query, times in snapshot)
    return [Entry(query, Source.SEARCHES, n) for query, n in counts if n >= MIN_USERS]
