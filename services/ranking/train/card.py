"""The model card of a trained ranker, and its importance plot."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.ranking.train.compare import DEPTH, FOLDS, Measured
from services.ranking.train.importance import plot_importance
from shared.evaluation.significance import RESAMPLES, Difference

CARD_FILE: Final = "README.md"
PLOT_FILE: Final = "importance.svg"


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
    plot_importance(folder / PLOT_FILE, importance)
