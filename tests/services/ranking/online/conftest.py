"""Pages that were shown, and shoppers who choose from them."""

from collections.abc import Callable

import numpy as np
import pytest

from services.ranking.features import FEATURE_SET, FEATURES
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.common.v1.shown_page_pb2 import ShownPage, ShownPlace

WANTED = FEATURES.index("freshness")
START = 1_700_000_000


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def make_page(random: np.random.Generator) -> Callable[..., ShownPage]:
    def make(places: int = 10, serving_config: str = "search") -> ShownPage:
        rows = random.random((places, len(FEATURES)))
        return ShownPage(
            serving_config=serving_config,
            language_code="en",
            model="linear",
            feature_set=FEATURE_SET,
            places=[
                ShownPlace(product_id=f"p{n}", place=n + 1, features=row)
                for n, row in enumerate(rows)
            ],
        )

    return make


@pytest.fixture
def make_events(make_page, random) -> Callable[[int], list[pb.UserEvent]]:
    """Shoppers who like what is new and look at the first places most, whatever the weights say."""

    def make(count: int) -> list[pb.UserEvent]:
        events = []
        for number in range(count):
            page = make_page()
            liking = np.array([p.features[WANTED] for p in page.places])
            looked = 1.0 / np.arange(1, len(liking) + 1) ** 0.7
            shares = looked * np.exp(3.0 * liking)
            row = random.choice(len(liking), p=shares / shares.sum())
            event = pb.UserEvent(
                id=f"e{number}",
                type=pb.USER_EVENT_TYPE_CLICK,
                user_id=f"user-{number % 97}",
                attribution_token=f"token-{number}",
                shown=page,
            )
            event.event_time.seconds = START + 60 * number
            event.products.add(product_id=f"p{row}", position=row + 1)
            events.append(event)
        return events

    return make
