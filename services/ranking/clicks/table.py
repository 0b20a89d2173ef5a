"""Pages as a table of products by query: what counts of looks and clicks are kept by."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.log import NOT_SHOWN, ClickLog
from services.ranking.clicks.page_log import OUTCOMES, LoggedPage, PageLogError


@dataclass(frozen=True, slots=True)
class PageTable:
    """One row for each product of each query, a query's rows together."""

    features: NDArray[np.float64]
    """(rows, features) mean over the pages."""
    query: NDArray[np.int64]
    """(rows,) number of the query, from 0, ascending."""
    texts: Sequence[str]
    """By query: as typed."""
    logs: Sequence[ClickLog]
    """By outcome: the pages, with that outcome as `clicked`."""

    @classmethod
    def of(cls, pages: Sequence[LoggedPage]) -> "PageTable":
        """Counts pages.

        Raises:
            PageLogError: There are none, or they name no products.
        """
        if not pages or not all(page.ids for page in pages):
            raise PageLogError("there are no pages that name their products")
        texts = sorted({page.query for page in pages})
        keys = sorted({(page.query, id_) for page in pages for id_ in page.ids})
        rows = {key: row for row, key in enumerate(keys)}
        sums = np.zeros((len(keys), pages[0].features.shape[1]))
        counts = np.zeros(len(keys))
        places = max(len(page.shown) for page in pages)
        shown = np.full((len(pages), places), NOT_SHOWN, dtype=np.int64)
        outcomes = np.zeros((len(OUTCOMES), len(pages), places), dtype=np.bool_)
        for number, page in enumerate(pages):
            own = np.array([rows[page.query, id_] for id_ in page.ids])
            sums[own] += page.features
            counts[own] += 1
            shown[number, : len(page.shown)] = own[page.shown]
            outcomes[:, number, : len(page.shown)] = page.outcomes().T
        numbers = {text: number for number, text in enumerate(texts)}
        query = np.array([numbers[text] for text, _ in keys], dtype=np.int64)
        logs = [ClickLog(len(keys), shown, each) for each in outcomes]
        return cls(sums / counts[:, None], query, texts, logs)
