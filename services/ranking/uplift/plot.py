"""The picture of an uplift: the estimate beside the naive difference, and how far rows overlap."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from services.ranking.uplift.estimate import Uplift

_BINS: Final = 20


def plot_uplift(path: Path, uplift: Uplift, title: str) -> None:
    """Writes an SVG; needs the library matplotlib.

    Args:
        path: Of the file.
        uplift: What was estimated.
        title: What of what, in words.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(8, 2.8), layout="constrained")
    FigureCanvasSVG(figure)
    left, right = figure.subplots(1, 2)
    for at, each in enumerate((uplift.naive, uplift.effect)):
        errors = [[each.mean - each.low], [each.high - each.mean]]
        left.errorbar([each.mean], [at], xerr=errors, fmt="o", capsize=4, color=f"C{at}")
        left.text(each.mean, at + 0.15, f"{each.mean:+.4f}", ha="center", color=f"C{at}")
    left.axvline(0.0, color="0.7", linewidth=1)
    left.set_yticks([0, 1], ["as they are", "effect"])
    left.set(ylim=(-0.5, 1.6), xlabel="difference of the probability")
    left.set_title(title, fontsize=10)
    edges = np.linspace(0.0, 1.0, _BINS + 1)
    for has, label in ((True, "has it"), (False, "has it not")):
        values = uplift.propensities[uplift.has == has]
        right.hist(values, edges, density=True, alpha=0.5, label=label)
    right.set(xlabel="probability of the property, foretold", yticks=[], xlim=(0.0, 1.0))
    right.set_title("overlap", fontsize=10)
    right.legend(frameon=False, fontsize=8)
    figure.savefig(path)
