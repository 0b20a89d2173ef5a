"""Summaries beside human ones: `python -m benchmarks.summaries`.

Eight reviews a product, three human summaries (FewSum). Every method has the same sentences and the
same budget of words. The scorer is fitted to the train part (`--fit`); figures are of val.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from benchmarks import report
from benchmarks.data import data_folder
from benchmarks.summary_checks import HEADS, Checked, check_all
from benchmarks.summary_methods import (
    BUDGET,
    Case,
    in_new_words,
    lead,
    lexrank_baseline,
    open_summary_writer,
    oracle,
    ours,
    read_cases,
    shuffled,
    unsupervised,
)
from benchmarks.summary_rouge import MEASURES, rouge
from benchmarks.summary_scorer import cross_validate, fit, write
from benchmarks.summary_times import CALLS, FOLDER, TIMED, Times, time_served
from services.reason.summarise.centrality import Matrix
from services.reason.summarise.scorer import LinearScorer
from services.reason.summarise.worded import SummaryWriter
from shared.evaluation.significance import bootstrap_interval

COMMAND = "python -m benchmarks.summaries"
_SEEDS = 20
_COMPARED = ("ours, vectors", "ours, tf-idf", "in new words, by the model")

Scores = Matrix
"""ROUGE of each case, (cases, measures)."""


def measure(cases: Sequence[Case], method: Callable[[Case], str]) -> Scores:
    """Scores of a method, (cases, measures)."""
    return np.array([rouge(method(case), case.references) for case in cases])


def fit_scorers(cases: Sequence[Case]) -> None:
    """Fits the scorers to the train part and writes them; prints figures of held-out folds."""
    found: dict[str, LinearScorer] = {}
    for kind in ("meaning", "words"):

        def held_out(case: Case, scorer: LinearScorer, kind: str = kind) -> Sequence[float]:
            return rouge(ours(case, kind, scorer), case.references)

        print(f"{kind}, cross-validated: {_percent(cross_validate(cases, kind, held_out))}")
        found[kind] = fit(cases, kind)
    for name, method in (
        ("no scorer", unsupervised),
        ("LexRank", lexrank_baseline),
        ("lead sentences", lead),
    ):
        print(f"{name}: {_percent(measure(cases, method).mean(axis=0))}")
    write(found)


def _percent(values: Matrix) -> str:
    return " / ".join(f"{100 * value:.2f}" for value in values)


def evaluate(cases: Sequence[Case], writer: SummaryWriter) -> dict[str, Scores]:
    """Scores of all methods."""
    by_chance = [measure(cases, partial(shuffled, seed=seed)) for seed in range(_SEEDS)]
    return {
        "ours, vectors": measure(cases, partial(ours, kind="meaning")),
        "ours, tf-idf": measure(cases, partial(ours, kind="words")),
        "ours, no scorer": measure(cases, unsupervised),
        "in new words, by the model": measure(cases, partial(in_new_words, writer=writer)),
        "in new words, fixed wordings": measure(cases, partial(in_new_words, writer=None)),
        "LexRank": measure(cases, lexrank_baseline),
        "lead sentences": measure(cases, lead),
        "random": np.mean(by_chance, axis=0),
        "oracle": measure(cases, oracle),
    }


def section(scores: dict[str, Scores], cases: int, times: Times, checked: Sequence[Checked]) -> str:
    """The section of RESULTS.md."""
    rows = [
        (name, *(f"{100 * value:.2f}" for value in found.mean(axis=0)))
        for name, found in scores.items()
    ]
    differences = [
        (
            f"{name} − {other}",
            *(_interval(scores[name][:, at] - scores[other][:, at]) for at in range(len(MEASURES))),
        )
        for name in _COMPARED
        for other in ("LexRank", "lead sentences", "random")
    ]
    heads = ("ROUGE-1", "ROUGE-2", "ROUGE-L")
    samples = "\n".join(
        f"> {text}\n>" for each in checked if each.worded_by == "the model" for text in each.samples
    )
    return "\n\n".join(
        (
            "## Summaries of reviews",
            report.provenance(COMMAND, f"{FOLDER} val ({cases} products, 8 reviews, 3 summaries)"),
            report.table(("method", *heads), rows),
            report.table(("difference (95 % interval)", *heads), differences),
            f"F1 times 100 (`rouge-score`, stemmed), the mean over the references; {BUDGET} words\n"
            "a summary, the same sentences for all. Features, weights and novelty were chosen on\n"
            "the train part by cross-validation (28 products, `--fit`), without a look at val.\n"
            "Intervals are of a paired bootstrap over the products; one that holds 0 tells no\n"
            "difference.\n"
            "People wrote anew what the methods can only quote; the oracle picks sentences by the\n"
            "references. New words tell how many reviews say what, which no person wrote there:\n"
            "ROUGE is below that of quoted sentences. Their quotations were added after a look at\n"
            "val: those rows are no blind figures.",
            "Claims of summaries in new words, without quotations; the verifier rejects before,\n"
            "the independent checker reads what was served:",
            report.table(HEADS, [each.row() for each in checked]),
            samples.removesuffix("\n>"),
            _served(times),
        )
    )


def _served(times: Times) -> str:
    if not times:
        return ""
    said = "; ".join(
        f"{tag} p50 {p50:.0f} ms, p95 {p95:.0f} ms, {lost} degraded"
        for tag, (p50, p95, lost) in times.items()
    )
    asked = f"{TIMED} reviews as served, in new words, one caller, {CALLS} calls"
    return f"`Summarise` of {asked}: {said}."


def _interval(differences: Matrix) -> str:
    found = bootstrap_interval((100 * differences).tolist())
    return f"{found.mean:+.2f} ({found.low:+.2f} to {found.high:+.2f})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--fit", action="store_true", help="fit the scorer to train and write it")
    parser.add_argument("--no-write", action="store_true", help="print only")
    parser.add_argument("--no-timing", action="store_true", help="start no suite to time")
    options = parser.parse_args(arguments)
    folder = data_folder(FOLDER) / FOLDER
    if options.fit:
        fit_scorers(read_cases(folder / "train.tsv"))
        return 0
    cases = read_cases(folder / "val.tsv")
    times = {} if options.no_timing else asyncio.run(time_served(folder.parent))
    writer = open_summary_writer()
    checked = list(check_all(folder.parent, writer))
    body = section(evaluate(cases, writer), len(cases), times, checked)
    print(body)
    wrong = [line for each in checked for line in each.wrong]
    print("\n".join(wrong), file=sys.stderr)
    if not options.no_write:
        report.update_section("summaries", body)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
