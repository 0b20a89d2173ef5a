"""Pages for learning, of what a shop has: the answers it showed, and the events that followed.

The answers are SearchResponses, one a line in protobuf's JSON, asked for with
`include_contributions` of a ranking that explores: they hold the features, and how likely each
place was. Events are tied to them by the attribution token.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from google.protobuf.json_format import Parse, ParseError

from services.ranking.clicks.page_log import LoggedPage, PageLogError
from services.ranking.features import FEATURES
from shared.text_file import open_text
from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse

_DEPTHS: Final[Mapping[UserEventType.ValueType, int]] = {
    UserEventType.USER_EVENT_TYPE_IMPRESSION: 0,
    UserEventType.USER_EVENT_TYPE_CLICK: 1,
    UserEventType.USER_EVENT_TYPE_VIEW: 1,
    UserEventType.USER_EVENT_TYPE_CART: 2,
    UserEventType.USER_EVENT_TYPE_PURCHASE: 3,
}
"""How far a shopper went: shown, clicked, put into the cart, bought."""
_COLUMNS: Final = {name: column for column, name in enumerate(FEATURES)}

Followed = Mapping[str, Mapping[str, int]]
"""Attribution token -> product id -> the furthest that shoppers went, 0 to 3."""


@dataclass(slots=True)
class Left:
    """Answers that are no pages to learn from, by what is wrong with them."""

    without_propensities: int = 0
    """Ranking did not explore, or rules or variants changed the order."""
    without_features: int = 0
    """Asked for without contributions."""
    further_pages: int = 0
    """Not the first of their list."""
    empty: int = 0

    def total(self) -> int:
        """Returns how many there are."""
        return self.without_propensities + self.without_features + self.further_pages + self.empty


def follow(events: Iterable[UserEvent]) -> Followed:
    """Collects what followed each answer. Events without a token say nothing of places."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for event in events:
        depth = _DEPTHS.get(event.type)
        if event.attribution_token and depth is not None:
            of_answer = found[event.attribution_token]
            for product in event.products:
                of_answer[product.product_id] = max(depth, of_answer.get(product.product_id, 0))
    return found


def read_served(
    path: Path, followed: Followed, left: Left, *, places: int = 10
) -> Iterator[LoggedPage]:
    """Reads answers as pages, gzipped (.gz) or not.

    Args:
        path: SearchResponses, one a line.
        followed: As `follow` gives it.
        left: Counts what is left out.
        places: How many results of an answer were shown, where no impressions say so.

    Raises:
        PageLogError: The file cannot be read, or a line is no SearchResponse.
    """
    try:
        with open_text(path) as stream:
            for number, line in enumerate(stream, start=1):
                if not line.strip():
                    continue
                try:
                    answer = Parse(line, SearchResponse(), ignore_unknown_fields=True)
                except ParseError as error:
                    raise PageLogError(f"{path}:{number}: no SearchResponse: {error}") from error
                told = followed.get(answer.attribution_token, {})
                if (page := _page(answer, told, left, places)) is not None:
                    yield page
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise PageLogError(f"{path}: {error}") from error


def _page(
    answer: SearchResponse, told: Mapping[str, int], left: Left, places: int
) -> LoggedPage | None:
    results = answer.results
    if not results or not answer.query.query:
        left.empty += 1
        return None
    if results[0].rank != 1:
        left.further_pages += 1
        return None
    ids = [result.product.id for result in results]
    reached = [place for place, id_ in enumerate(ids, start=1) if id_ in told]
    shown = max(reached, default=0)
    if 0 not in told.values():  # no impressions
        shown = min(max(shown, places), len(results))
    if not all(result.propensity > 0 for result in results[:shown]):
        left.without_propensities += 1
        return None
    if not all(result.contributions for result in results):
        left.without_features += 1
        return None
    features = np.zeros((len(results), len(FEATURES)))
    for row, result in zip(features, results, strict=True):
        for part in result.contributions:
            if (column := _COLUMNS.get(part.feature)) is not None:
                row[column] = part.value
    went = np.array([told.get(id_, 0) for id_ in ids[:shown]], dtype=np.int64)
    return LoggedPage(
        answer.query.query,
        features,
        np.arange(shown, dtype=np.int64),
        np.array([result.propensity for result in results[:shown]], dtype=np.float64),
        went >= 1,
        went >= 2,  # noqa: PLR2004 - the depths above
        went >= 3,  # noqa: PLR2004
        ids,
    )
