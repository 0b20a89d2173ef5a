"""What is searched for under load: judged queries of icecat, or variations that are all new."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.data import icecat
from benchmarks.latency import varied
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.evaluation.judgments import read_judgments

WARM = 40
"""Different queries of a warm load, answered before it begins and kept by all caches."""
_COLD = 20_000
_BUNDLED = 200


def judged() -> list[str]:
    """Returns the judged queries of icecat.

    Raises:
        SystemExit: The data is not there.
    """
    return list(read_judgments(icecat().judgments))


def bundled() -> list[str]:
    """Returns titles of the bundled catalogue, for trials without icecat."""
    rows = (row.product for row in read_catalogue(bundled_catalogue_path()))
    titles = (product.titles["en"] for product in rows if product and product.titles["en"])
    return list(dict.fromkeys(titles))[:_BUNDLED]


def cold(queries: Sequence[str], seed: int) -> list[str]:
    """Returns queries no two of which are the same, so that no cache answers any."""
    return list(dict.fromkeys(varied(queries, _COLD, seed)))


def warm(queries: Sequence[str]) -> list[str]:
    """Returns the few queries of a warm load."""
    return list(queries[:WARM])
