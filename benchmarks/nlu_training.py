"""Tables and plots of training runs: `python -m benchmarks.nlu_training`.

Reads what the runs left in their folders (`results.json`, `history.json`) and trains nothing. Runs
of one comparison are found by name: `ablation*` are of one task or several, `tuning*` of the same
task tuned in different ways. Runs without a comparison get their learning curves alone.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from benchmarks import report
from services.nlu.train.curves import plot_curves
from services.nlu.train.progress import History

RUNS = report.ROOT / ".wherefore" / "train"
MAIN_FIGURES = (".f1", ".accuracy", ".auc", ".mrr")
"""How the figures end that a task is judged by."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run left behind."""

    name: str
    settings: Mapping[str, Any]
    figures: Mapping[str, float]
    seconds: float
    history: History
    trainable: int | None
    """Parameters that were trained; None where no weights were kept."""
    peak_mib: float | None
    """Most memory that it held, MiB; None where nobody looked."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of its tasks."""
        return tuple(self.settings.get("tasks", ()))

    def main_figures(self) -> dict[str, float]:
        """The figures that its tasks are judged by."""
        return {name: value for name, value in self.figures.items() if name.endswith(MAIN_FIGURES)}


def read_runs(folder: Path) -> list[Run]:
    """Read every run of a folder that has ended, in the order of their names."""
    runs: list[Run] = []
    for path in sorted(folder.glob("*/history.json")):
        results: dict[str, Any] = {}
        if (path.parent / "results.json").exists():
            results = json.loads((path.parent / "results.json").read_text(encoding="utf-8"))
        history = History(**json.loads(path.read_text(encoding="utf-8")))
        weights = path.parent / "model" / "weights.safetensors"
        runs.append(
            Run(
                name=path.parent.name,
                settings=results.get("settings", {}),
                figures=results.get("figures", {}),
                seconds=results.get("seconds", history.seconds),
                history=history,
                trainable=results.get("trainable_parameters")
                or (count_parameters(weights) if weights.exists() else None),
                peak_mib=results.get("peak_mib"),
            )
        )
    return runs


def count_parameters(path: Path) -> int:
    """Numbers in a safetensors file: a run keeps what it trained, and nothing of a packaged base.

    The file begins with the length of a JSON header that has the shape of every tensor
    (https://github.com/huggingface/safetensors).
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(length))
    return sum(prod(item["shape"]) for name, item in header.items() if name != "__metadata__")


def chosen(runs: Sequence[Run], pattern: str) -> list[Run]:
    """Runs whose name fits a pattern of the shell."""
    return [run for run in runs if fnmatch.fnmatch(run.name, pattern)]


def ablation_table(runs: Sequence[Run]) -> str | None:
    """Every task alone beside all of them together; None without both sorts of runs.

    Each task alone is its own run, so that column is put together from several.
    """
    alone: dict[str, Run] = {}
    together = [run for run in runs if len(run.tasks) > 1]
    for run in runs:
        if len(run.tasks) == 1:
            alone |= dict.fromkeys(run.main_figures(), run)
    if not alone or not together:
        return None
    rows: list[list[str]] = []
    for name, run in alone.items():
        single = run.main_figures()[name]
        cells = [name, f"{single:.4f}"]
        for other in together:
            value = other.main_figures().get(name)
            cells.append("–" if value is None else f"{value:.4f} ({value - single:+.4f})")
        rows.append(cells)
    singles = {run.name: run for run in alone.values()}.values()
    minutes = sum(run.seconds for run in singles) / 60
    rows.append(
        [
            "minutes of training",
            f"{minutes:.1f} ({len(singles)} runs)",
            *(f"{run.seconds / 60:.1f}" for run in together),
        ]
    )
    headings = ("figure on dev", "each task alone", *(_described(run) for run in together))
    return report.table(headings, rows)


def tuning_table(runs: Sequence[Run]) -> str | None:
    """The same task tuned in different ways; None with fewer than two runs."""
    if len(runs) < 2:
        return None
    names = [name for name in runs[0].main_figures() if all(name in run.figures for run in runs)]
    rows = [
        [
            str(run.settings.get("tuning", "full")),
            *(f"{run.figures[name]:.4f}" for name in names),
            "–" if run.trainable is None else f"{run.trainable:,}",
            f"{run.seconds / 60:.1f}",
            "–" if run.peak_mib is None else f"{run.peak_mib:,.0f}",
        ]
        for run in runs
    ]
    return report.table(("tuning", *names, "trained parameters", "minutes", "peak MiB"), rows)


def scope(runs: Sequence[Run]) -> str:
    """What the runs of a comparison share, for the reader who would repeat them."""
    first = runs[0].settings
    loop = first.get("loop", {})
    parts = [f"encoder `{first.get('encoder', '?')}`", f"{loop.get('epochs', 3)} epochs at most"]
    if steps := loop.get("max_steps"):
        parts.append(f"{steps:,} steps at most")
    limits = {
        f"{name}: {task['limit']:,}"
        for run in runs
        for name, task in run.settings.get("tasks", {}).items()
        if task.get("limit")
    }
    parts.append(f"examples at most {', '.join(sorted(limits))}" if limits else "all examples")
    return f"Runs {', '.join(f'`{run.name}`' for run in runs)}; {'; '.join(parts)}."


def sections(runs: Sequence[Run], ablation: str, tuning: str, plots: Path) -> dict[str, str]:
    """Sections of RESULTS.md by name; draws the learning curves."""
    made: dict[str, str] = {}
    command = "python -m benchmarks.nlu_training"
    for name, title, pattern, table in (
        ("nlu-ablation", "Single task against multi-task", ablation, ablation_table),
        ("nlu-tuning", "Parameter-efficient tuning", tuning, tuning_table),
    ):
        compared = chosen(runs, pattern)
        body = table(compared)
        if body is None:
            continue
        facts = report.provenance(command, "the dev halves, runs of `wherefore train nlu`")
        made[name] = "\n".join([f"## {title}", "", facts, scope(compared), "", body])
    curves: list[str] = []
    for run in runs:
        if any(fnmatch.fnmatch(run.name, pattern) for pattern in (ablation, tuning)):
            continue
        path = plots / f"curves-{run.name}.svg"
        plot_curves(run.history, path, title=run.name)
        curves += [
            f"`{run.name}`: {run.seconds / 60:.0f} minutes, {len(run.history.epochs)} epochs.",
            "",
            f"![Learning curves of {run.name}](plots/{path.name})",
            "",
        ]
    if curves:
        facts = report.provenance(command, "the dev halves")
        made["nlu-curves"] = "\n".join(["## Learning curves", "", facts, "", *curves])
    return made


def _described(run: Run) -> str:
    return f"together, {run.settings.get('weighting', 'uncertainty')} weights"


def main() -> int:
    """Write the sections of RESULTS.md and the plots."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the runs")
    parser.add_argument("--ablation", default="ablation*", help="names of that comparison's runs")
    parser.add_argument("--tuning", default="tuning*", help="names of that comparison's runs")
    options = parser.parse_args()
    runs = read_runs(options.runs)
    if not runs:
        sys.stderr.write(f"no run in {options.runs} has ended; `wherefore train nlu` makes them\n")
        return 1
    for name, body in sections(runs, options.ablation, options.tuning, report.PLOTS).items():
        print(body + "\n")
        report.update_section(name, body)
    return 0


if __name__ == "__main__":
    sys.exit(main())
