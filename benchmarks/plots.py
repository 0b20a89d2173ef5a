"""Small plots for RESULTS.md; skipped, with a word, where matplotlib is not installed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
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


def curves(
    places: Sequence[float],
    runs: Mapping[str, Sequence[Sequence[float]]],
    labels: tuple[str, str],
    path: Path,
) -> None:
    """The mean of the runs of every name, with a band of one standard error; the first dashed."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    figure, axes = pyplot.subplots(figsize=(7, 4.4))
    for at, (name, values) in enumerate(runs.items()):
        columns = list(zip(*values, strict=True))
        means = [mean(column) for column in columns]
        errors = [stdev(c) / len(c) ** 0.5 if len(c) > 1 else 0.0 for c in columns]
        style = {"color": "#333333", "linestyle": "--"} if at == 0 else {}
        (line,) = axes.plot(places, means, label=name, linewidth=1.6, **style)
        low = [point - error for point, error in zip(means, errors, strict=True)]
        high = [point + error for point, error in zip(means, errors, strict=True)]
        axes.fill_between(places, low, high, color=line.get_color(), alpha=0.12, linewidth=0)
    _finish(figure, axes, labels, path)


def lines(
    values: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    labels: tuple[str, str],
    path: Path,
    *,
    log: bool = False,
) -> None:
    """A line for each name, by its own places and heights; `log` for both axes."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    figure, axes = pyplot.subplots(figsize=(7, 4.4))
    for name, (places, heights) in values.items():
        axes.plot(places, heights, label=name, linewidth=1.6, marker="." if log else None)
    if log:
        axes.set_xscale("log")
        axes.set_yscale("log")
    _finish(figure, axes, labels, path)


def grouped(
    values: Mapping[str, Mapping[str, float]], label: str, path: Path, *, log: bool = False
) -> None:
    """Horizontal bars in groups, with their figures; a group may lack a bar that others have.

    Args:
        values: Figures by bar by group.
        label: Of the axis.
        path: Of the picture.
        log: Whether the axis is logarithmic.
    """
    pyplot = _pyplot()
    if pyplot is None:
        return
    names = list(dict.fromkeys(name for group in values.values() for name in group))
    figure, axes = pyplot.subplots(figsize=(7, 0.32 * len(names) * len(values) + 1.2))
    for at, name in enumerate(names):
        places = [
            row * (len(names) + 1) + at
            for row, group in enumerate(values.values())
            if name in group
        ]
        figures = [group[name] for group in values.values() if name in group]
        drawn = axes.barh(places, figures, label=name)
        axes.bar_label(drawn, fmt="{:,.0f}", padding=3, fontsize=8)
    middles = [row * (len(names) + 1) + (len(names) - 1) / 2 for row in range(len(values))]
    axes.set_yticks(middles, list(values))
    axes.invert_yaxis()
    axes.margins(x=0.12)
    if log:
        axes.set_xscale("log")
    axes.set_xlabel(label)
    axes.legend(ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    _save(figure, path)


def _finish(figure: Any, axes: Any, labels: tuple[str, str], path: Path) -> None:
    """Axes of lines: what they show, a grid and who is who."""
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
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
