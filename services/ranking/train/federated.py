"""A shop's page log as rows for federated training, and the comparison over judged queries."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from services.ranking.clicks.behaviour import examination
from services.ranking.clicks.page_log import LoggedPage
from services.ranking.clicks.simulated import SEVERITY, log_pages
from services.ranking.features import FEATURES
from services.ranking.train.dataset import RankingData
from shared.evaluation.metrics import dcg
from shared.federated.errors import FederatedError
from shared.federated.models import Task
from shared.federated.rows import Rows
from shared.federated.trial import PLACES, Trial

FOLDS: Final = 5
PAGES: Final = 200
DEVIATION: Final = 0.3


def rank_task() -> Task:
    """Returns what all shops agree on: the features that are served now."""
    return Task(kind="rank", width=len(FEATURES), names=FEATURES)


def page_rows(pages: Sequence[LoggedPage]) -> Rows:
    """Returns the products that were shown, page by page; a click in place k gains k.

    A shop alone has too few pages to estimate how likely each place is looked at, so all take the
    same curve, 1 / place. Pages without a click teach nothing and are left out.

    Raises:
        FederatedError: Nothing was clicked.
    """
    kept = [page for page in pages if page.clicked.any()]
    if not kept:
        raise FederatedError("nothing was clicked on these pages")
    sizes = [len(page.shown) for page in kept]
    looked = examination(max(sizes), SEVERITY)
    return Rows(
        np.vstack([page.features[page.shown] for page in kept]).astype(np.float32),
        np.concatenate([page.clicked / looked[: len(page.shown)] for page in kept]).astype(
            np.float32
        ),
        np.repeat(np.arange(len(kept), dtype=np.int64), sizes),
    )


def rank_trials(data: RankingData, weights: Mapping[str, float], seed: int) -> list[Trial]:
    """Returns one comparison a fold of whole queries, with logs of simulated shoppers.

    Args:
        data: Judged queries and their candidates.
        weights: Of the linear ranker that explores while it is logged.
        seed: Of logs and folds.

    Raises:
        FederatedError: There are fewer queries than folds.
    """
    count = len(data.texts)
    if count < FOLDS:
        raise FederatedError(f"{count} queries with relevant products, {FOLDS} needed")
    logged = log_pages(data, weights, seed, pages=PAGES, places=PLACES, deviation=DEVIATION)
    numbers = {text: number for number, text in enumerate(data.texts)}
    order = np.random.default_rng(seed).permutation(count)
    found: list[Trial] = []
    for fold in range(FOLDS):
        held = np.sort(order[fold::FOLDS])
        names = {data.texts[number] for number in held}
        kept = [page for page in logged if page.query not in names and page.clicked.any()]
        measured = data.of_queries(held.tolist())
        found.append(
            Trial(
                rank_task(),
                page_rows(kept),
                np.array([numbers[page.query] for page in kept], dtype=np.int64),
                Rows(
                    measured.features.astype(np.float32),
                    measured.ratings.astype(np.float32),
                    measured.query,
                ),
                np.array([dcg(ideal[:PLACES]) for ideal in measured.ideals]),
            )
        )
    return found
