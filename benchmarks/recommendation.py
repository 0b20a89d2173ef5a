"""Recommendation from sequences: a section from reports of `wherefore eval recommend`.

Trains nothing. `python -m benchmarks.recommendation --runs FOLDER` reads beauty.json,
beauty_attributes.json, toys.json and toys_attributes.json in that folder, which are written one
after the other by `wherefore eval recommend --sequences FILE [--attributes FILE] --out FILE`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import report
from shared.evaluation.significance import bootstrap_interval, paired_randomisation

RUNS = {
    "beauty": "Beauty, sequences alone",
    "beauty_attributes": "Beauty, with attributes",
    "toys": "Toys, sequences alone",
    "toys_attributes": "Toys, with attributes",
}
BLEND = "blend"
TITLES = {
    BLEND: "**blend of all**",
    "sequential": "transformer (SASRec, full softmax, warm start)",
    "content": "content (TF-IDF of attributes)",
    "als": "ALS (implicit)",
    "bpr": "BPR (implicit)",
    "item_knn": "item-item neighbours",
    "popularity": "popularity",
}
HEADINGS = ("model", "nDCG@10", "95 %", "p, blend", "HR@10", "coverage@10", "novelty@10")
DRAWS = 2_000
"""Of the intervals and tests: 20,000 users need no more, and 10,000 would not fit in memory."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one evaluation left.

    Attributes:
        figures: Report without single users.
        by_user: nDCG@10 of each user, by model.
    """

    figures: Mapping[str, Any]
    by_user: Mapping[str, Sequence[float]]


def read_run(path: Path) -> Run:
    """Read what `--out` wrote."""
    document = json.loads(path.read_text(encoding="utf-8"))
    return Run(document, document.pop("ndcg@10_by_user"))


def rows(run: Run) -> list[list[str]]:
    """A row for each model."""
    shown: list[list[str]] = []
    for name, figures in run.figures["models"].items():
        interval = bootstrap_interval(run.by_user[name], resamples=DRAWS)
        p = "" if name == BLEND else f"{against_blend(run, name):.4f}"
        shown.append(
            [
                TITLES[name],
                f"{interval.mean:.4f}",
                f"{interval.low:.4f} to {interval.high:.4f}",
                p,
                f"{figures['hr@10']:.4f}",
                f"{figures['coverage@10']:.3f}",
                f"{figures['novelty@10']:.2f}",
            ]
        )
    return shown


def against_blend(run: Run, name: str) -> float:
    """Two-sided p that a model and the blend are alike."""
    return paired_randomisation(run.by_user[BLEND], run.by_user[name], permutations=DRAWS)


def section(runs: Mapping[str, Run], note: str = "") -> str:
    """The section of RESULTS.md.

    Args:
        runs: By their names in RUNS.
        note: How the runs were made, where it was not by the command's defaults.
    """
    lines = [
        "## Recommendation from sequences",
        "",
        report.provenance(
            "python -m benchmarks.recommendation",
            "reports of `wherefore eval recommend --out` on amazon_sequences "
            f"({', '.join(f'{name}.json' for name in runs)})",
        ),
        *([note] if note else []),
    ]
    for name, run in runs.items():
        figures = run.figures
        minutes = sum(figures["seconds"].values()) / 60
        sequential = figures["chosen"]["sequential"]
        lines += [
            "",
            f"### {RUNS[name]}",
            "",
            f"{figures['users']:,} users, {figures['items']:,} items, "
            f"{figures['interactions']:,} interactions; {minutes:.0f} minutes in all. The "
            f"transformer trained {figures['seconds']['sequential'] / 60:.0f} minutes, "
            f"{sequential['epochs']} epochs; the best was {sequential['epoch']}.",
            "",
            report.table(HEADINGS, rows(run)),
        ]
    return "\n".join([*lines, "", _NOTE])


_NOTE = f"""Leave-one-out: the last item of a user tests, the one before validates, the rest trains.
All items are ranked, without sampled negatives, but for those a user had before. Settings of every
model, peers included, epochs and weights of the blend were chosen on validation items. The
transformer was trained on the training part and reads the validation item as part of the history;
the others were fitted again with the validation items, which alone is worth much to neighbours:
they are not to be compared with published figures of models trained on the training part. The
transformer's item vectors begin at a factorisation of pairs of items in the training part. Blend:
all models of its table. Intervals: percentile bootstrap over users;
p: paired randomisation test against the blend, two-sided; {DRAWS:,} draws
each, so that {1 / (DRAWS + 1):.4f} is the least p there can be."""


def main() -> None:
    """Print the section; writes it to RESULTS.md unless told not to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=Path, required=True, help="folder of the reports")
    parser.add_argument("--note", default="", help="how the runs were made")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    paths = {name: options.runs / f"{name}.json" for name in RUNS}
    runs = {name: read_run(path) for name, path in paths.items() if path.is_file()}
    if not runs:
        raise SystemExit(f"no {', '.join(f'{name}.json' for name in RUNS)} in {options.runs}")
    body = section(runs, options.note)
    print(body)
    if not options.no_write:
        report.update_section("recommendation", body)


if __name__ == "__main__":
    main()
