"""A shop of which everything is known: what attracts, and how likely each place is looked at."""

from collections.abc import Callable

import numpy as np
import pytest

from services.ranking.clicks.behaviour import PositionBased, examination, follow_through
from services.ranking.clicks.page_log import LoggedPage
from services.ranking.features import FEATURES

CANDIDATES, PLACES = 12, 6
GOOD, LOGGED = FEATURES.index("title_coverage"), FEATURES.index("fused_score")


def attracts(features: np.ndarray) -> np.ndarray:
    """Shoppers go by the title's words, and not in a line; the shop shows by another feature."""
    return 0.05 + 0.85 * features[:, GOOD] ** 2


def make_pages(queries: int = 60, each: int = 30, seed: int = 0) -> list[LoggedPage]:
    random = np.random.default_rng(seed)
    shopper = PositionBased(1.0)
    pages = []
    for query in range(queries):
        features = np.zeros((CANDIDATES, len(FEATURES)))
        features[:, [GOOD, LOGGED]] = random.random((CANDIDATES, 2))
        features[:, FEATURES.index("stock")] = 1.0
        ids = [f"{query}-{number}" for number in range(CANDIDATES)]
        noisy = features[:, LOGGED] + 0.3 * random.gumbel(size=(each, CANDIDATES))
        for order in np.argsort(-noisy, axis=1)[:, :PLACES]:
            chance = attracts(features)[order][None, :]
            clicked = shopper.click(chance, random)
            carted, bought = follow_through(clicked, chance, random)
            pages.append(
                LoggedPage(
                    f"query {query}",
                    features,
                    order,
                    np.full(PLACES, 1 / CANDIDATES),
                    clicked[0],
                    carted[0],
                    bought[0],
                    ids,
                )
            )
    return pages


@pytest.fixture(scope="session")
def pages() -> list[LoggedPage]:
    return make_pages()


@pytest.fixture(scope="session")
def looked() -> np.ndarray:
    return examination(PLACES)


@pytest.fixture(scope="session")
def attraction() -> Callable[[np.ndarray], np.ndarray]:
    return attracts


@pytest.fixture(scope="session")
def linear() -> Callable[[np.ndarray], np.ndarray]:
    """The score that was logged."""
    return lambda features: features[:, LOGGED]
