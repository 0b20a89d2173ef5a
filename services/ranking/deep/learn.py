"""From pages to a deep ranker: propensities, network, calibration, and its weight in the score."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.measure import gains, ndcg_by_query
from services.ranking.clicks.page_log import LoggedPage, PageLogError
from services.ranking.clicks.propensity import TooFixedError, estimate_propensities
from services.ranking.clicks.table import PageTable
from services.ranking.deep.calibrate import Calibrated, chances, fit_curves
from services.ranking.deep.impressions import Impressions, Split
from services.ranking.deep.model_file import WORTH, log_worth
from services.ranking.deep.network import DeepNetwork
from services.ranking.deep.training import Epoch, OnEpoch, TrainingSettings, fit
from shared.distributed import Processes

WEIGHTS: Final = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
"""That are tried for the score beside the linear one."""

Scorer = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Learnt:
    """A deep ranker, as process 0 has it."""

    model: Calibrated
    plain: Calibrated
    """The same without the curves of calibration."""
    weight: float
    """Of its score beside the linear one."""
    looked: NDArray[np.float64]
    """(places,) propensity of each place."""
    epochs: Sequence[Epoch]
    best: int
    digests: Sequence[str]
    """By process: SHA-256 of the weights that it ended with."""

    def score(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns (rows,) log of the expected worth, without weight."""
        return log_worth(chances(self.model, features.astype(np.float32)))

    def beside(self, linear: Scorer) -> Scorer:
        """Returns the ranker that is served: the linear score with this one's share."""
        return lambda features: linear(features) + self.weight * self.score(features)


def learn(
    split: Split,
    linear: Scorer,
    settings: TrainingSettings,
    *,
    processes: Processes,
    looked: NDArray[np.float64] | None = None,
    folder: Path | None = None,
    on_epoch: OnEpoch = lambda _: None,
) -> Learnt | None:
    """Trains on this process's pages.

    Validation queries choose the epoch, the curves and the weight; test queries are not read.

    Args:
        split: Pages of this process.
        linear: The score beside which it is to stand.
        settings: Of the training.
        processes: All of them.
        looked: (places,) propensities; estimated from the training pages when None.
        folder: For the checkpoint.
        on_epoch: Called after each epoch, in process 0.

    Returns:
        The ranker in process 0, None elsewhere.

    Raises:
        PageLogError: There are too few pages, or products hardly change places in them.
        RuntimeError: The processes ended with different weights.
    """
    if looked is None:
        looked = agreed_propensities(split.training, processes)
    fitted = fit(
        Impressions.of(split.training),
        Impressions.of(split.validation),
        looked,
        settings,
        processes=processes,
        folder=folder,
        on_epoch=on_epoch,
    )
    digests = processes.gather(_digest(fitted.network))
    held = [page for part in processes.gather(split.validation) for page in part]
    if not processes.main:
        return None
    plain = Calibrated(fitted.network).eval()
    if len(set(digests)) > 1:
        raise RuntimeError("the processes have come apart: their weights differ")
    curves = fit_curves(fitted.network, Impressions.of(held), looked)
    model = Calibrated(fitted.network, curves).eval()
    chosen = Learnt(model, plain, 0.0, looked, fitted.epochs, fitted.best, digests)
    weight = choose_weight(held, linear, chosen.score, looked)
    return replace(chosen, weight=weight)


def _digest(network: DeepNetwork) -> str:
    digest = hashlib.sha256()
    for value in network.state_dict().values():
        digest.update(value.numpy().tobytes())
    return digest.hexdigest()


def agreed_propensities(pages: Sequence[LoggedPage], processes: Processes) -> NDArray[np.float64]:
    """Estimates propensities in each process, and takes the mean by what each has seen.

    Raises:
        PageLogError: In all processes, if one cannot estimate them.
    """
    found, problem = np.zeros(0), ""
    views = found
    try:
        log = PageTable.of(pages).logs[0]
        found = estimate_propensities(log).places
        views = log.counts()[0].sum(axis=0)
    except (PageLogError, TooFixedError) as error:
        problem = str(error)
    failed, places = processes.max([float(bool(problem)), float(len(found))])
    if failed:
        raise PageLogError(problem or "propensities cannot be estimated in another process")
    padding = (0, int(places) - len(found))
    found, views = np.pad(found, padding), np.pad(views, padding)
    seen = np.array(processes.sum((found * views).tolist()))
    return seen / np.array(processes.sum(views.tolist()))


def choose_weight(
    pages: Sequence[LoggedPage], linear: Scorer, deep: Scorer, looked: NDArray[np.float64]
) -> float:
    """Returns the weight of WEIGHTS with the best nDCG@10 by worth; the smallest of equals."""
    table = PageTable.of(pages)
    gained = gains(table, looked, WORTH)
    first, second = linear(table.features), deep(table.features)
    means = [
        float(np.nanmean(ndcg_by_query(first + weight * second, gained, table.query)))
        for weight in WEIGHTS
    ]
    return WEIGHTS[int(np.argmax(np.round(means, 6)))]
