"""How well an order agrees with what shoppers did, position bias taken out.

nDCG (Jarvelin and Kekalainen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002) with
the estimated chance of a click on what is looked at as gain, as it stands: the ideal order is that
of the estimates. What was never shown is left out, as nothing is known of it.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.learn import relevance
from services.ranking.clicks.page_log import OUTCOMES
from services.ranking.clicks.table import PageTable

DEPTH: Final = 10


def gains(
    table: PageTable, looked: NDArray[np.float64], worth: Mapping[str, float]
) -> NDArray[np.float64]:
    """Returns (rows,) what a look at each product is worth by estimate; NaN if never shown.

    Args:
        table: Of pages.
        looked: (places,) propensity of each place; at least as many places as the pages have.
        worth: Of each outcome; those not named are worth nothing.
    """
    own = looked[: table.logs[0].shown.shape[1]]
    total = np.zeros(table.logs[0].rows)
    for outcome, log in zip(OUTCOMES, table.logs, strict=True):
        if each := worth.get(outcome, 0.0):
            total = total + each * relevance(log, own)
    return total


def ndcg_by_query(
    scores: NDArray[np.float64], gained: NDArray[np.float64], query: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns nDCG@10 of each query, NaN for one of which nothing is worth anything.

    Args:
        scores: (rows,) by which to order.
        gained: (rows,) as `gains` gives it.
        query: (rows,) number of each row's query, from 0.
    """
    known = ~np.isnan(gained)
    found = np.full(int(query.max(initial=-1)) + 1, np.nan)
    discounts = 1.0 / np.log2(np.arange(2, DEPTH + 2))
    for number in range(len(found)):
        rows = np.flatnonzero(known & (query == number))
        values = gained[rows]
        ideal = np.sort(values)[::-1][:DEPTH]
        best = float(ideal @ discounts[: len(ideal)])
        if best > 0:
            order = np.argsort(-scores[rows], kind="stable")[:DEPTH]
            found[number] = float(values[order] @ discounts[: len(order)]) / best
    return found
