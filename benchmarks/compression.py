"""Smaller forms of the query models: `python -m benchmarks.compression`.

Reads the tables that `python -m services.nlu.train.compress` left in its folders, keeps them beside
this file, and writes their section of RESULTS.md. It measures nothing itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import report
from services.nlu.train.frontier import RULE, as_table, steps_of

RUNS = report.ROOT / ".wherefore" / "train"
TABLES = report.ROOT / "benchmarks" / "compression"


def newest_runs(folder: Path) -> dict[str, Path]:
    """The last run of each recipe that has ended, by the recipe's name."""
    found = sorted(folder.glob("compress_*/*/frontier.json"), key=lambda path: path.stat().st_mtime)
    return {path.parent.parent.name: path.parent for path in found}


def body(tables: Mapping[str, Mapping[str, Any]]) -> str:
    """The section: a table and a plot a model, and what was chosen by which rule."""
    facts = report.provenance("python -m services.nlu.train.compress RECIPE", "the dev halves")
    lines = ["## Smaller and faster", "", facts, "", f"Served is, {RULE} (in bold)."]
    for name, table in tables.items():
        steps = steps_of(table)
        examples = ", ".join(f"{head} {count}" for head, count in table["dev_examples"].items())
        lines += [
            "",
            f"### `{table['model']}`",
            "",
            f"Recipe `{name}`; {table['threads']} threads; dev examples: {examples}; smaller "
            f"models were taught on {table['taught_texts']:,} training texts.",
            "",
            as_table(steps, table["trained"], table["chosen"]),
            "",
            f"![Quality over latency]({_plot_name(name)})",
        ]
        if whole := table.get("whole_dev"):
            lines += ["", "On all of dev:", "", _whole(whole)]
    return "\n".join(lines)


def _whole(figures: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(figures.values())))
    rows = [[form, *(f"{values[name]:.4f}" for name in names)] for form, values in figures.items()]
    return report.table(("form", *names), rows)


def _plot_name(recipe: str) -> str:
    return f"plots/frontier_{recipe}.svg"


def main() -> int:
    """Writes the section, the tables and the plots."""
    parser = argparse.ArgumentParser(prog="benchmarks.compression", description=__doc__)
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder of the runs")
    runs = newest_runs(parser.parse_args().runs)
    if not runs:
        sys.stderr.write("no run has ended: python -m services.nlu.train.compress compress_zh\n")
        return 2
    TABLES.mkdir(exist_ok=True)
    for name, folder in runs.items():
        shutil.copyfile(folder / "frontier.json", TABLES / f"{name}.json")
        shutil.copyfile(folder / "frontier.svg", TABLES.parent / _plot_name(name))
    tables = {path.stem: json.loads(path.read_text()) for path in sorted(TABLES.glob("*.json"))}
    report.update_section("nlu-compression", body(tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
