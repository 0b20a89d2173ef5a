"""The pages that were shown of late, with what ranking weighed of every product on them.

An event that names a page by its token is written together with it, so that the log of events
alone, read again at any time, teaches a ranker the same. A page that is no longer kept, as after a
restart, leaves its events without: they count for all else.
"""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cachetools import TTLCache
from prometheus_client import Counter

from services.orchestrator.experiments.book import Assigned
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.shown_page_pb2 import ShownPage, ShownPlace
from wherefore.orchestrator.v1.result_pb2 import Result

MOST_PLACES: Final = 50
JOINED: Final = Counter(
    "wherefore_event_joins_total",
    'Events with a token of a page, by whether the page was known: "joined" or "missed".',
    ("outcome",),
)
_CHOICES: Final = (
    pb.USER_EVENT_TYPE_CLICK,
    pb.USER_EVENT_TYPE_VIEW,
    pb.USER_EVENT_TYPE_CART,
    pb.USER_EVENT_TYPE_PURCHASE,
)


@dataclass(slots=True)
class RankNotes:
    """How a ranking was made."""

    assigned: Assigned = field(default_factory=Assigned)
    """The arms of experiments that had a part in it."""
    model: str = ""
    """Name and version of the model; empty where ranking was degraded."""
    feature_set: str = ""
    features: dict[str, Sequence[float]] = field(default_factory=dict[str, Sequence[float]])
    """By product; empty where no pages are kept."""


class ShownPages:
    """Keeps pages. Not thread-safe.

    Args:
        size: Pages kept, about 3 kB each; 0 keeps none.
        seconds: How long.
    """

    def __init__(self, size: int, seconds: float) -> None:
        self._pages: TTLCache[bytes, bytes] = TTLCache(max(size, 1), seconds, time.monotonic)
        self.keeps = size > 0
        """Whether pages are kept at all."""

    def remember(
        self,
        token: str,
        results: Sequence[Result],
        notes: RankNotes,
        *,
        serving_config: str,
        language_code: str,
    ) -> None:
        """Keeps a page.

        Args:
            token: That events will name it by.
            results: As shown, with their ranks.
            notes: Of the ranking.
            serving_config: Of ranking.
            language_code: Of the query; empty for none.
        """
        if not self.keeps:
            return
        places = [
            ShownPlace(
                product_id=result.product.id, place=result.rank, features=notes.features[known]
            )
            for result in results[:MOST_PLACES]
            # A place that is paid for says nothing of the ranking.
            if (known := result.product.id) in notes.features and not result.HasField("sponsored")
        ]
        if not places:
            return
        page = ShownPage(
            serving_config=serving_config,
            language_code=language_code,
            model=notes.model,
            feature_set=notes.feature_set,
            places=places,
        )
        self._pages[_key(token)] = page.SerializeToString()

    def join(self, event: pb.UserEvent) -> None:
        """Writes into an event the page that it names, where it is kept."""
        choice = event.type in _CHOICES
        if not self.keeps or not event.attribution_token:
            return
        if not choice and event.type != pb.USER_EVENT_TYPE_IMPRESSION:
            return
        data = self._pages.get(_key(event.attribution_token))
        JOINED.labels("missed" if data is None else "joined").inc()
        if data is None:
            return
        event.shown.ParseFromString(data)
        if not choice:  # that it was shown is enough: all its products are in the event
            del event.shown.places[:]


def _key(token: str) -> bytes:
    return hashlib.blake2b(token.encode(), digest_size=16).digest()
