"""Counts over all users with noise: differentially private for a user with all their events.

Each user, or visitor, adds 1 to at most `contributions` keys. Counts get discrete Laplace noise of
scale contributions / epsilon; keys are not public, so counts below a threshold are not told, which
costs the delta of `shared.privacy.noise.release_threshold`.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Final

from services.orchestrator.event_store import EventStore, actor_hash, actor_of
from services.orchestrator.interest import weight_of
from services.orchestrator.privacy_settings import PrivacySettings
from services.orchestrator.purposes import ANALYTICS, refuses
from shared.errors import FailedPreconditionError
from shared.privacy.ledger import UNIT, EpsilonLedger
from shared.privacy.noise import discrete_laplace, release_threshold
from shared.privacy.personal import has_mask, personal_data
from shared.text.normalise import fold
from wherefore.common.v1.user_event_pb2 import UserEvent

_DAY: Final = 86_400.0
_LONGEST_QUERY: Final = 100


class Kind(Enum):
    """What is counted."""

    PRODUCTS = "products"
    QUERIES = "queries"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Counts with noise.

    Attributes:
        rows: Keys and noisy counts, the most frequent first.
        threshold: Least count that is told.
        scale: Of the noise.
    """

    rows: list[tuple[str, int]]
    threshold: int
    scale: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What aggregates may cost, and have cost."""

    epsilon: float
    epsilon_spent: float
    delta: float
    delta_spent: float


class Aggregates:
    """Answers while the budget lasts.

    Args:
        store: The log.
        settings: The budget.
        folder: Where the ledger is kept.
    """

    def __init__(self, store: EventStore, settings: PrivacySettings, folder: Path) -> None:
        self._store = store
        self._settings = settings
        path = folder / "aggregates.ledger"
        self._ledger = EpsilonLedger(path, settings.epsilon, settings.delta)

    async def budget(self) -> Budget:
        """Returns the budget.

        Raises:
            FailedPreconditionError: The ledger is damaged.
        """
        epsilon, delta = await asyncio.to_thread(self._ledger.spent)
        settings = self._settings
        allowed = settings.delta if settings.epsilon else 0.0
        return Budget(settings.epsilon, epsilon, allowed, delta)

    async def count(self, kind: Kind, days: int, epsilon: float, limit: int) -> Aggregate:
        """Counts once; booked before anything is counted.

        Args:
            kind: What.
            days: Age of the oldest events.
            epsilon: What it may cost.
            limit: Most rows.

        Raises:
            FailedPreconditionError: The budget does not hold it, or none is set.
            UnavailableError: The log cannot be read; the cost stays booked.
        """
        settings = self._settings
        if not settings.epsilon:
            raise FailedPreconditionError("no budget for aggregates is set")
        what = f"{kind.value}, {days} days"
        await asyncio.to_thread(self._ledger.spend, epsilon, settings.answer_delta, what)
        counts = await self._users_by_key(kind, time.time() - days * _DAY)
        # As it was booked: in whole billionths, never more.
        scale = Fraction(settings.contributions * UNIT, round(epsilon * UNIT))
        threshold = release_threshold(scale, settings.contributions, settings.answer_delta)
        noisy = await asyncio.to_thread(
            lambda: {key: count + discrete_laplace(scale) for key, count in counts.items()}
        )
        told = [(key, count) for key, count in noisy.items() if count >= threshold]
        told.sort(key=lambda row: (-row[1], row[0]))
        return Aggregate(told[:limit], threshold, float(scale))

    async def _users_by_key(self, kind: Kind, oldest: float) -> Counter[str]:
        keys_of: defaultdict[bytes, set[str]] = defaultdict(set)
        async for stored in self._store.since(oldest):
            event = stored.event
            if refuses(stored.refused, ANALYTICS):
                continue
            # Which of a user's keys count depends on that user alone.
            own = keys_of[actor_hash(actor_of(event.user_id, event.session_id))]
            for key in _keys(kind, event):
                if len(own) < self._settings.contributions:
                    own.add(key)
        return Counter(key for keys in keys_of.values() for key in keys)


def _keys(kind: Kind, event: UserEvent) -> Iterator[str]:
    if kind is Kind.PRODUCTS:
        if weight_of(event):
            yield from (product.product_id for product in event.products)
        return
    query = fold(event.query)
    if query and len(query) <= _LONGEST_QUERY and not has_mask(query) and not personal_data(query):
        yield query
