"""The model card of a trained ranker, and its importance plot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

from services.ranking.train.compare import DEPTH, FOLDS, Measured
from shared.evaluation.significance import RESAMPLES, Difference

CARD_FILE: Final = "README.md"
PLOT_FILE: Final = "importance.svg"
_SHOWN: Final = 15


def write_card(
    folder: Path,
    *,
    version: str,
    data: str,
    linear: Measured,
    trees: Measured,
    full: Difference,
    judged_only: Difference,
    importance: Mapping[str, float],
) -> None:
    """Writes the card and the plot.

    Args:
        folder: Of the model; it must be there.
        version: Of the model.
        data: What it was trained on, in words.
        linear: The linear model by folds.
        trees: The trained model by folds.
        full: Trained less linear, over all candidates.
        judged_only: The same over judged candidates.
        importance: By feature its mean magnitude of contribution, largest first.
    """
    rows = [
        ("all candidates, unjudged as 0", linear.full, trees.full, full),
        ("judged candidates alone", linear.judged_only, trees.judged_only, judged_only),
    ]
    lines = [
        f"# {version}",
        "",
        "LambdaMART trees on top of the linear weights, trained by `wherefore train ranking` on",
        f"{data}. Contributions are the linear model's exact Shapley values and TreeSHAP values.",
        "",
        f"By {FOLDS} folds of whole queries, so every query was ranked by a model that never saw",
        f"it; the interval and p by paired bootstrap over queries ({RESAMPLES:,} draws).",
        "",
        f"| nDCG@{DEPTH} | linear | trees | difference | 95 % | p |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, before, after, difference in rows:
        away = difference.interval
        lines.append(
            f"| {name} | {before.mean():.3f} | {after.mean():.3f} | {away.mean:+.3f} | "
            f"{away.low:+.3f} to {away.high:+.3f} | {difference.p:.4f} |"
        )
    lines += [
        "",
        f"![Mean magnitude of each feature's contribution]({PLOT_FILE})",
        "",
        "Expect less on another catalogue, in another language, and for queries of another kind.",
        "A pool that was judged from keyword results favours words: a model that learns that what",
        "nobody judged is bad learns the pool. Serve it only if neither figure gets worse.",
        "",
    ]
    (folder / CARD_FILE).write_text("\n".join(lines), encoding="utf-8")
    _plot(folder / PLOT_FILE, importance)


def _plot(path: Path, importance: Mapping[str, float]) -> None:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    shown = list(importance.items())[:_SHOWN][::-1]
    figure = Figure(figsize=(7, 0.3 * len(shown) + 1), layout="constrained")
    FigureCanvasSVG(figure)
    axes = cast("Any", figure).add_subplot()
    axes.barh([name for name, _ in shown], [value for _, value in shown])
    axes.set_xlabel("mean magnitude of the contribution to the score")
    cast("Any", figure).savefig(path)
