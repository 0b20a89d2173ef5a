"""Plots of what a run measured: its loss along the steps, its figures on dev after every epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.nlu.train.progress import History

SMOOTHED = 0.9
"""Weight of the past in the smoothed loss: single batches of several tasks jump about."""


def plot_curves(history: History, path: Path, *, title: str) -> None:
    """Draws the curves of a run into a file; its suffix chooses the format.

    Args:
        history: Of the run.
        path: The file, such as `curves.png`; its folder is made.
        title: Above the plot.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    plots: Any = pyplot
    figure, (left, right) = plots.subplots(1, 2, figsize=(11, 3.6))
    steps, losses = [step for step, _ in history.steps], [loss for _, loss in history.steps]
    left.plot(steps, losses, color="#c8d4e3", linewidth=0.8)
    left.plot(steps, smoothed(losses), color="#4c78a8")
    left.set_xlabel("step")
    left.set_ylabel("loss in training")
    for name, values in dev_curves(history.epochs).items():
        right.plot([step for step, _ in values], [value for _, value in values], "o-", label=name)
    if 0 <= history.best_epoch < len(history.epochs):
        best = history.epochs[history.best_epoch]["step"]
        right.axvline(best, color="#999999", linestyle=":", label="kept")
    right.set_xlabel("step")
    right.set_ylabel("dev")
    if history.epochs:
        right.legend(fontsize="small", frameon=False)
    figure.suptitle(title)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Without a date the same figures give the same file.
    dateless = {"Date": None} if path.suffix == ".svg" else None
    figure.savefig(path, bbox_inches="tight", dpi=110, metadata=dateless)
    plots.close(figure)


def dev_curves(
    epochs: Sequence[Mapping[str, float]],
) -> dict[str, list[tuple[float, float]]]:
    """Returns (step, value) after every epoch, by the name of the figure."""
    first = epochs[0] if epochs else dict[str, float]()
    names = [name for name in first if name not in ("epoch", "step")]
    return {
        name: [(record["step"], record[name]) for record in epochs if name in record]
        for name in names
    }


def smoothed(values: Sequence[float]) -> list[float]:
    """Returns the exponential moving average, corrected for its start (Kingma and Ba, 2015)."""
    average, kept = 0.0, list[float]()
    for at, value in enumerate(values, 1):
        average = SMOOTHED * average + (1 - SMOOTHED) * value
        kept.append(average / (1 - SMOOTHED**at))
    return kept
