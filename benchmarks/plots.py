"""Small plots for RESULTS.md; skipped, with a word, where matplotlib is not installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.evaluation.significance import Interval


def bars(values: Mapping[str, Interval], label: str, path: Path) -> None:
    """Horizontal bars with intervals, the first on top."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    names = list(values)[::-1]
    means = [values[name].mean for name in names]
    low = [values[name].mean - values[name].low for name in names]
    high = [values[name].high - values[name].mean for name in names]
    figure, axes = pyplot.subplots(figsize=(7, 0.45 * len(names) + 1))
    axes.barh(names, means, xerr=[low, high], color="#4c78a8", ecolor="#333333", capsize=3)
    axes.set_xlabel(label)
    axes.set_xlim(0, 1)
    _save(figure, path)


def stacked_stages(
    stages: Sequence[str], milliseconds: Mapping[str, Sequence[float]], label: str, path: Path
) -> None:
    """One horizontal bar per row name, made of the stages one after the other."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    names = list(milliseconds)[::-1]
    figure, axes = pyplot.subplots(figsize=(7, 0.45 * len(names) + 1.4))
    left = [0.0] * len(names)
    for index, stage in enumerate(stages):
        widths = [milliseconds[name][index] for name in names]
        axes.barh(names, widths, left=left, label=stage)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.set_xlabel(label)
    axes.legend(ncols=len(stages), loc="upper center", bbox_to_anchor=(0.5, 1.3), frameon=False)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date the same figures give the same file.
    figure.savefig(path, bbox_inches="tight", metadata={"Date": None})


def _pyplot() -> Any | None:
    try:
        import matplotlib as mpl
    except ImportError:
        print("no plots: pip install matplotlib", file=sys.stderr)
        return None
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "wherefore"
    from matplotlib import pyplot

    return pyplot
