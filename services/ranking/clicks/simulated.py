"""Logs of an exploring ranker over judged queries, with shoppers that are simulated."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from services.ranking.clicks.behaviour import PositionBased, attraction, follow_through
from services.ranking.clicks.page_log import LoggedPage
from services.ranking.diversity import Likeness
from services.ranking.exploration import Explorer
from services.ranking.model import LinearModel
from services.ranking.train.dataset import RankingData

SEVERITY: Final = 1.0
"""Of the shoppers' bias towards the top: place k is looked at with a chance of 1 / k."""
_ALONE: Final = Likeness({}, {})


def log_pages(
    data: RankingData,
    weights: Mapping[str, float],
    seed: int,
    *,
    pages: int,
    places: int,
    deviation: float,
) -> list[LoggedPage]:
    """Returns pages of the exploring ranker, with what simulated shoppers did.

    Args:
        data: Judged queries and their candidates; ratings say what attracts.
        weights: Of the linear ranker.
        seed: Of order and shoppers.
        pages: For each query.
        places: Of a page.
        deviation: Of the noise that explores, as of `Explorer`.
    """
    random = np.random.default_rng(seed)
    explorer, shopper = Explorer(deviation, random), PositionBased(SEVERITY)
    model = LinearModel.of("", weights)
    attracts = attraction(data.ratings, int(data.ratings.max()))
    logged: list[LoggedPage] = []
    for number, text in enumerate(data.texts):
        rows = data.rows(number)
        values = data.features[rows]
        ids = [f"{number}/{row}" for row in range(len(values))]
        scores = model.score(values)
        for _ in range(pages):
            drawn = explorer.order(
                scores, values, weights, likeness=_ALONE, strength=0.0, limit=places
            )
            shown = np.array(drawn.order, dtype=np.int64)
            own = attracts[rows][shown][None, :]
            clicked = shopper.click(own, random)
            carted, bought = follow_through(clicked, own, random)
            logged.append(
                LoggedPage(
                    text, values, shown, drawn.propensities, clicked[0], carted[0], bought[0], ids
                )
            )
    return logged
