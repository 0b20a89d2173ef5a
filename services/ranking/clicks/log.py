"""Pages that were shown and clicked, and their sums by product and place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.behaviour import Behaviour

NOT_SHOWN = -1


@dataclass(frozen=True, slots=True)
class ClickLog:
    """Pages of rows of one table of candidates, in which every query has rows of its own."""

    rows: int
    """Of the table."""
    shown: NDArray[np.int64]
    """(pages, places) row of the table, the first place first; NOT_SHOWN behind the last."""
    clicked: NDArray[np.bool_]
    """(pages, places)."""

    def counts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns how often each row was shown and clicked at each place, both (rows, places)."""
        places = self.shown.shape[1]
        cells: NDArray[np.int64] = self.shown * places + np.arange(places, dtype=np.int64)
        known = self.shown != NOT_SHOWN
        size = self.rows * places
        views = np.bincount(cells[known], minlength=size)
        clicks = np.bincount(cells[known & self.clicked], minlength=size)
        shape = (self.rows, places)
        return views.reshape(shape).astype(np.float64), clicks.reshape(shape).astype(np.float64)


def simulate(
    scores: NDArray[np.float64],
    attraction: NDArray[np.float64],
    query: NDArray[np.int64],
    behaviour: Behaviour,
    random: np.random.Generator,
    *,
    pages: int = 200,
    places: int = 10,
    temperature: float = 0.1,
) -> ClickLog:
    """Shows pages of a ranker to simulated shoppers.

    Orders are drawn from the Plackett-Luce distribution of the scores by the Gumbel trick, so that
    a product is seen in more places than one.

    Args:
        scores: (rows,) of the ranker whose clicks are logged, standardised within a query here.
        attraction: (rows,) as `behaviour.attraction` gives it.
        query: (rows,) number of each row's query.
        behaviour: Who clicks.
        random: Where chance comes from.
        pages: Shown for each query.
        places: On a page.
        temperature: Of the draw, in standard deviations of the scores; 0 always shows one order.
    """
    shown: list[NDArray[np.int64]] = []
    for number in np.unique(query):
        rows = np.flatnonzero(query == number)
        spread = float(scores[rows].std()) or 1.0
        noisy = scores[rows] / spread + temperature * random.gumbel(size=(pages, len(rows)))
        order = rows[np.argsort(-noisy, axis=1, kind="stable")[:, :places]]
        padding = ((0, 0), (0, places - order.shape[1]))
        shown.append(np.pad(order, padding, constant_values=NOT_SHOWN))
    lists = np.concatenate(shown)
    attracts = np.where(lists == NOT_SHOWN, 0.0, attraction[lists])
    return ClickLog(len(scores), lists, behaviour.click(attracts, random))
