"""The judged icecat queries in Chinese: what a catalogue in English finds for them.

The queries are of our own hand (`queries/icecat_zh.tsv`); products and ratings are those of the
English ones, so the two languages are compared query by query.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks import report
from shared.evaluation import report as scoring
from shared.evaluation.judgments import Judgments
from shared.evaluation.report import SystemReport
from shared.evaluation.significance import paired_randomisation

QUERIES = Path(__file__).parent / "queries" / "icecat_zh.tsv"


def read_queries(path: Path = QUERIES) -> dict[str, str]:
    """The Chinese of each English query; lines that begin with # say something of the file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


def in_chinese(judgments: Judgments, queries: Mapping[str, str]) -> Judgments:
    """The judgments of the queries that have a Chinese form, by that form.

    Raises:
        KeyError: A query is not judged.
    """
    return {chinese: judgments[english] for english, chinese in queries.items()}


def section(
    english: Mapping[str, SystemReport],
    chinese: Mapping[str, SystemReport],
    queries: Mapping[str, str],
    names: Mapping[str, str],
) -> str:
    """The table of both languages, a row a system."""
    rows: list[list[str]] = []
    for name, title in names.items():
        row = [title]
        for measure in (scoring.NDCG, scoring.NDCG_JUDGED_ONLY):
            said = english[name].by_query[measure]
            asked = chinese[name].by_query[measure]
            # Queries without any relevant product have no figure in either language.
            pairs = [(said[e], asked[c]) for e, c in queries.items() if e in said]
            before = sum(value for value, _ in pairs) / len(pairs)
            after = sum(value for _, value in pairs) / len(pairs)
            row += [f"{before:.3f}", f"{after:.3f}", f"{after / before - 1:+.1%}"]
            if measure == scoring.NDCG:
                left, right = zip(*pairs, strict=True)
                row.append(f"{paired_randomisation(list(left), list(right)):.4f}")
        rows.append(row)
    headings = (
        "system",
        "nDCG@10, English",
        "Chinese",
        "difference",
        "p",
        "judged only, English",
        "Chinese",
        "difference",
    )
    return "\n".join(
        [
            f"The same {len(queries)} queries in Chinese, of our own translation, over the same"
            " products, which say all in English:",
            "",
            report.table(headings, rows),
        ]
    )
