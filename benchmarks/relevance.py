"""Relevance on icecat's judged queries, beside peers: `python -m benchmarks.relevance`.

Imports the catalogue into a suite of its own and ranks every query with each retrieval leg, with
both fused, along the whole path and without each of its parts; the peers rank the same queries over
the same file in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import (
    ablations,
    chinese_queries,
    fitting_queries,
    own_judgments,
    peers,
    plots,
    report,
)
from benchmarks.data import icecat, subset
from shared.catalogue import read_catalogue
from shared.cli.catalogue_import import import_whole
from shared.cli.connection import connect
from shared.cli.evaluation_parts import Parts, search_parts
from shared.cli.evaluation_progress import query_progress
from shared.cli.private_suite import private_suite
from shared.evaluation import report as scoring
from shared.evaluation.judgments import Judgments, read_judgments
from shared.evaluation.rankers import PATH, PRECISE
from shared.evaluation.report import SystemReport
from shared.evaluation.search_evaluation import SearchEvaluation, evaluate_search
from shared.evaluation.significance import (
    Interval,
    bootstrap_interval,
    paired_bootstrap,
    paired_randomisation,
)
from shared.inference.settings import VECTOR_MODEL

CACHE = report.ROOT / ".wherefore" / "benchmarks"
NAMES = {
    PATH: "**whole path**",
    PRECISE: "**whole path, precise**",
    "fused": "both legs fused",
    "dense": "dense leg",
    "sparse": "sparse leg (BM25)",
}
NOTES = """\
nDCG: gain 2^rating - 1 over the full catalogue, an unjudged product counts as 0; judged only: the
same over a ranking of the judged products alone. Relevant in MRR and recall: rated {relevant} or
more; {without} queries have no relevant product and are left out of all but judged@10. Intervals:
percentile bootstrap over queries; p: of the difference in nDCG@10, two-sided, by paired bootstrap
over queries and by paired randomisation. Peers:
`bm25s` with its defaults over title, supplier, short description and text attributes;
all-MiniLM-L6-v2 vectors of title and short description by sentence-transformers; their reciprocal
rank fusion. How the weights of
the path were chosen, and what they give on queries left out: the section on weights."""
HEADINGS = (
    "system",
    "nDCG@10",
    "95 % interval",
    "path less it",
    "p, bootstrap",
    "p, randomisation",
    "nDCG@10, judged only",
    "MRR@10",
    "recall@100",
    "judged@10",
)


def main() -> int:
    """Run the benchmark; writes its section of RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, help="trial run on so many products, not written")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    data = icecat()
    judgments = read_judgments(data.judgments)
    with tempfile.TemporaryDirectory() as folder:
        catalogue = data.catalogue
        if options.products:
            catalogue = subset(data, options.products, Path(folder))
        corpus = peers.read_corpus(catalogue)
        by_peers = peers.rank_with_peers(corpus, judgments, CACHE, _say)
        systems = {name: scoring.score(ranked, judgments) for name, ranked in by_peers.items()}
        chinese = chinese_queries.read_queries()
        in_chinese = chinese_queries.in_chinese(judgments, chinese)
        fitting = fitting_queries.fitting_judgments(
            row.product for row in read_catalogue(catalogue, "icecat") if row.product is not None
        )
        fits_by_peers = peers.rank_with_peers(corpus, fitting, CACHE, _say)
        with search_parts() as parts:
            evaluation, translated, fits = asyncio.run(
                evaluate_suite(catalogue, judgments, in_chinese, parts=parts, besides=[fitting])
            )
    failures = {**evaluation.failures, **translated.failures, **fits.failures}
    for query, error in failures.items():
        _say(f"query {query!r} failed: {error}")
    systems = {name: evaluation.systems[name] for name in NAMES} | systems
    body = _section(systems, judgments, evaluation, len(corpus.ids)) + "\n\n"
    own = own_judgments.read_own()
    rankings = {name: evaluation.rankings[name] for name in NAMES} | dict(by_peers)
    body += own_judgments.section(rankings, judgments, own, NAMES) + "\n\n"
    body += chinese_queries.section(evaluation.systems, translated.systems, chinese, NAMES)
    parts_worth = ablations.section(evaluation, translated, len(corpus.ids))
    found = {name: fits.systems[name] for name in NAMES if name != PRECISE}
    found |= {name: scoring.score(ranked, fitting) for name, ranked in fits_by_peers.items()}
    fits_found = fitting_queries.section(found, NAMES, len(corpus.ids))
    print(body, parts_worth, fits_found, sep="\n\n")
    if not (options.no_write or options.products or failures):
        plots.bars(
            {NAMES.get(name, name).strip("*"): _interval(item) for name, item in systems.items()},
            "nDCG@10 with 95 % interval",
            report.PLOTS / "ndcg.svg",
        )
        report.update_section("relevance", body)
        report.update_section("ablations", parts_worth)
        report.update_section("fitting", fits_found)
    return 1 if failures else 0


async def evaluate_suite(
    catalogue: Path,
    *judgments: Judgments,
    model: str = VECTOR_MODEL,
    parts: Parts | None = None,
    besides: Sequence[Judgments] = (),
) -> list[SearchEvaluation]:
    """Import a catalogue into a suite of its own and rank every judged query with it.

    Args:
        catalogue: The icecat file.
        judgments: Of the queries; each set is evaluated for itself.
        model: What makes the vectors.
        parts: What to leave out besides.
        besides: Further sets, of which nothing is left out.
    """
    left_out, variables = (parts.ablations, parts.variables) if parts else ({}, {})
    async with private_suite(model=model, variables=variables) as own:
        target = own.targets.orchestrator
        async with connect(target, retry=False) as channel:
            await import_whole(channel, catalogue, "icecat", target=target)
        evaluations: list[SearchEvaluation] = []
        for judged in (*judgments, *besides):
            with query_progress(len(judged)) as on_query:
                evaluations.append(
                    await evaluate_search(
                        own.targets,
                        judged,
                        ablations={} if judged in besides else left_out,
                        on_query=on_query,
                    )
                )
        return evaluations


def _section(
    systems: Mapping[str, SystemReport],
    judgments: Judgments,
    evaluation: SearchEvaluation,
    products: int,
) -> str:
    without = len(scoring.queries_without_relevant(judgments))
    path = systems[PATH].by_query[scoring.NDCG]
    rows: list[list[str]] = []
    for name, system in systems.items():
        means = system.means()
        interval = _interval(system)
        values = system.by_query[scoring.NDCG]
        first, second = list(path.values()), [values[query] for query in path]
        away = paired_bootstrap(first, second)
        compared = (
            f"{away.interval.mean:+.3f} ({away.interval.low:+.3f} to {away.interval.high:+.3f})",
            f"{away.p:.4f}",
            f"{paired_randomisation(first, second):.4f}",
        )
        rows.append(
            [
                NAMES.get(name, f"peer: {name}"),
                f"{interval.mean:.3f}",
                f"{interval.low:.3f} to {interval.high:.3f}",
                *(("",) * len(compared) if name == PATH else compared),
                *(
                    f"{means[measure] or 0:.3f}"
                    for measure in (
                        scoring.NDCG_JUDGED_ONLY,
                        scoring.MRR,
                        scoring.RECALL,
                        scoring.JUDGED,
                    )
                ),
            ]
        )
    degraded = (
        f" Degraded answers: {dict(evaluation.degraded_queries)}."
        if evaluation.degraded_queries
        else ""
    )
    return "\n".join(
        [
            "## Relevance",
            "",
            report.provenance(
                "python -m benchmarks.relevance",
                f"icecat, {products:,} products, {len(judgments)} judged queries (dev)",
            ),
            "",
            report.table(HEADINGS, rows),
            "",
            "![nDCG@10 by system](plots/ndcg.svg)",
            "",
            NOTES.format(relevant=scoring.RELEVANT_RATING, without=without) + degraded,
        ]
    )


def _interval(system: SystemReport) -> Interval:
    return bootstrap_interval(list(system.by_query[scoring.NDCG].values()))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
