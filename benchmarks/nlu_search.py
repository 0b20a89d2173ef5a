"""What another vector model does to search: `python -m benchmarks.nlu_search`.

Imports icecat into one suite a model, each after the other, and ranks the judged queries with both:
the plain sentence encoder, and the query model that was tuned on top of it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks import report
from benchmarks.data import icecat, subset
from benchmarks.relevance import NAMES, evaluate_suite
from shared.evaluation import report as scoring
from shared.evaluation.judgments import read_judgments
from shared.evaluation.report import SystemReport
from shared.evaluation.significance import paired_randomisation

BEFORE, AFTER = "minilm_l6", "query_en"
WITH_VECTORS = ("path", "fused", "dense")
"""Systems that a vector has a part in."""


def section(
    before: Mapping[str, SystemReport], after: Mapping[str, SystemReport], data: str
) -> str:
    """The section of RESULTS.md: nDCG@10 of each system with either model."""
    rows: list[list[str]] = []
    for name in WITH_VECTORS:
        old, new = (by[name].by_query[scoring.NDCG] for by in (before, after))
        means = [sum(values.values()) / len(values) for values in (old, new)]
        p = paired_randomisation(list(old.values()), [new[query] for query in old])
        judged = [by[name].means()[scoring.NDCG_JUDGED_ONLY] or 0.0 for by in (before, after)]
        rows.append(
            [
                NAMES[name],
                *(f"{mean:.3f}" for mean in means),
                f"{means[1] - means[0]:+.3f}",
                f"{p:.3f}",
                *(f"{value:.3f}" for value in judged),
            ]
        )
    headings = (
        "system",
        f"nDCG@10, `{BEFORE}`",
        f"nDCG@10, `{AFTER}`",
        "difference",
        "p",
        f"judged only, `{BEFORE}`",
        f"judged only, `{AFTER}`",
    )
    return "\n".join(
        [
            "## The tuned vector in search",
            "",
            report.provenance("python -m benchmarks.nlu_search", data),
            "",
            report.table(headings, rows),
            "",
            "p: paired randomisation test over the queries, two-sided. Queries and products are",
            "encoded by the same model. The judged pool came from keyword results, so a product",
            "that only a vector finds counts as 0 in the first two columns.",
        ]
    )


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, help="trial run on so many products, not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    found = icecat()
    judgments = read_judgments(found.judgments)
    systems: dict[str, Mapping[str, SystemReport]] = {}
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        catalogue = found.catalogue
        if options.products:
            catalogue = subset(found, options.products, Path(folder))
        for model in (BEFORE, AFTER):
            print(f"vectors by {model}", file=sys.stderr, flush=True)
            (evaluation,) = asyncio.run(evaluate_suite(catalogue, judgments, model=model))
            systems[model] = evaluation.systems
            failed += len(evaluation.failures)
    size = f"{options.products:,}" if options.products else "19,406"
    data = f"icecat, {size} products, {len(judgments)} judged queries (dev)"
    body = section(systems[BEFORE], systems[AFTER], data)
    print(body)
    if failed:
        print(f"{failed} queries failed", file=sys.stderr)
    elif not (options.no_write or options.products):
        report.update_section("nlu-search", body)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
