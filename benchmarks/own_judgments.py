"""Judgments of our own beside the given ones of icecat: results of the path that nobody had judged.

`queries/icecat_own_judgments.csv` holds ids and ratings alone. They come from what the whole path
found, so they lift it and not the peers; figures with them are stated apart.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from benchmarks import report
from shared.evaluation import report as scoring
from shared.evaluation.judgments import Judgments
from shared.evaluation.report import Ranking

OWN = Path(__file__).parent / "queries" / "icecat_own_judgments.csv"


def read_own(path: Path = OWN) -> Judgments:
    """Ratings by product id, by query; lines that begin with # say something of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    judgments: dict[str, dict[str, int]] = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        judgments.setdefault(row["query"], {})[row["product_id"]] = int(row["rating"])
    return judgments


def merged(given: Judgments, own: Judgments) -> Judgments:
    """Both together, for the queries of the given ones; where both judged, the given rating."""
    return {query: {**own.get(query, {}), **ratings} for query, ratings in given.items()}


def section(
    rankings: Mapping[str, Mapping[str, Ranking]],
    given: Judgments,
    own: Judgments,
    names: Mapping[str, str],
) -> str:
    """The table with and without our own judgments, a row a system."""
    both = merged(given, own)
    rows: list[list[str]] = []
    for name, by_query in rankings.items():
        row = [names.get(name, f"peer: {name}")]
        for judgments in (given, both):
            means = scoring.score(by_query, judgments).means()
            row += [f"{means[measure] or 0:.3f}" for measure in (scoring.NDCG, scoring.JUDGED)]
        rows.append(row)
    ratings = [rating for by_id in own.values() for rating in by_id.values()]
    shares = ", ".join(f"{ratings.count(rating)} x {rating}" for rating in (3, 2, 1, 0))
    headings = (
        "system",
        "nDCG@10, given judgments",
        "judged@10",
        "nDCG@10, ours added",
        "judged@10",
    )
    return "\n".join(
        [
            f"**With {len(ratings)} judgments of our own** ({shares}), of results of the whole "
            "path that nobody had judged:",
            "",
            report.table(headings, rows),
            "",
            "They are of this project, which read title and description, and not of the raters of "
            "the others; they were taken from what the path found, so they say how good its "
            "unjudged results are and not how it stands against the peers.",
        ]
    )
