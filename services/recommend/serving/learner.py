"""Learns from events as they come in."""

from __future__ import annotations

import time
from collections.abc import Callable

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.found import Tie
from services.recommend.serving.purchases import Purchases
from services.recommend.serving.reorders import Reorders
from shared.privacy.actors import actor_of, event_seconds
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.user_profile_pb2 import UserContext

_BASKET, _VISIT = 50, 10
"""Latest products that a new one is paired with. Looks are many and soon lose the thread."""
_LOOKS = (pb.USER_EVENT_TYPE_VIEW, pb.USER_EVENT_TYPE_CLICK, pb.USER_EVENT_TYPE_CART)


class Learner:
    """All that events teach. Not thread-safe: use it from one event loop."""

    def __init__(
        self,
        *,
        together_seconds: float,
        history_seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.baskets = CoOccurrence(Tie.BOUGHT_TOGETHER, together_seconds, _BASKET)
        self.visits = CoOccurrence(Tie.VIEWED_TOGETHER, together_seconds, _VISIT)
        self.purchases = Purchases()
        self.reorders = Reorders()
        self._history = history_seconds
        self._clock = clock

    def forget(self, user: UserContext) -> None:
        """Forgets all that a user's events, or those of a visit, taught."""
        actor = actor_of(user.user_id, user.session_id)
        for counts in (self.baskets, self.visits, self.purchases, self.reorders):
            counts.forget(actor)

    def learn(self, event: pb.UserEvent) -> None:
        """Takes one event in; old ones, and those of nobody, are passed over."""
        at = event_seconds(event)
        actor = actor_of(event.user_id, event.session_id)
        if not actor or at < self._clock() - self._history:
            return
        ids = [product.product_id for product in event.products]
        if event.type == pb.USER_EVENT_TYPE_PURCHASE:
            self.baskets.count(actor, ids, at)
            self.purchases.count(actor, ids, at)
            self.reorders.count(actor, event.account_id, ids, at)
        elif event.type in _LOOKS:
            self.visits.count(actor, ids, at)
