"""What a ranker goes by, over all judged queries: `python -m services.ranking.train.importance`.

The mean magnitude of each feature's contribution, candidate by candidate, each page against its own
mean as it is served: the global importance of Lundberg et al., "From local explanations to global
understanding with explainable AI for trees", 2020, for the linear model that ranks by default. A
weight alone does not tell: what is alike for all products decides nothing.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.features import FEATURES
from services.ranking.model import LinearModel, ScoringModel
from services.ranking.train.dataset import DatasetError, RankingData
from services.ranking.tree_model import ModelFileError, TreeModel
from services.ranking.weights import load_weights

SHOWN: Final = 15
_USAGE: Final = 2


def page_importance(model: ScoringModel, data: RankingData) -> dict[str, float]:
    """Returns by feature the mean magnitude of its contribution, largest first.

    Args:
        model: The ranker.
        data: Candidates of judged queries; each query counts the same.
    """
    pages = [data.features[data.rows(query)] for query in range(len(data.texts))]
    sizes = np.mean([np.abs(model.contributions(page)[1]).mean(axis=0) for page in pages], axis=0)
    return {FEATURES[i]: float(sizes[i]) for i in np.argsort(-sizes, kind="stable")}


def plot_importance(path: Path, importance: Mapping[str, float]) -> None:
    """Writes the first SHOWN as bars (SVG); needs the library matplotlib."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    shown = list(importance.items())[:SHOWN][::-1]
    figure = Figure(figsize=(7, 0.3 * len(shown) + 1), layout="constrained")
    FigureCanvasSVG(figure)
    axes = cast("Any", figure).add_subplot()
    axes.barh([name for name, _ in shown], [value for _, value in shown])
    axes.set_xlabel("mean magnitude of the contribution to the score")
    cast("Any", figure).savefig(path, metadata={"Date": None})


def main(arguments: list[str] | None = None) -> int:
    """Prints the importance of a ranker, and draws it; returns the exit code."""
    parser = argparse.ArgumentParser(prog="services.ranking.train.importance", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="judged features (.npz)")
    parser.add_argument("--weights", type=Path, default=DEFAULT_WEIGHTS)
    parser.add_argument("--model", type=Path, help="trees in place of the weights")
    parser.add_argument("--serving-config", default="search")
    parser.add_argument("--plot", type=Path, help="SVG to write")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        data = RankingData.load(asked.data)
        model = _model(asked)
    except (OSError, ValueError, KeyError, DatasetError, ModelFileError) as error:
        sys.stderr.write(f"error: {error}\n")
        return _USAGE
    found = page_importance(model, data)
    if asked.plot:
        plot_importance(asked.plot, found)
    if asked.json:
        sys.stdout.write(json.dumps({"model": model.version, "importance": found}) + "\n")
        return 0
    sys.stdout.write(f"{model.version}, {len(data.texts)} queries\n")
    for name, size in found.items():
        if size:
            sys.stdout.write(f"{size:8.4f}  {name}\n")
    return 0


def _model(asked: argparse.Namespace) -> ScoringModel:
    if asked.model:
        return TreeModel.load(asked.model)
    serving = load_weights(asked.weights).serving
    if asked.serving_config not in serving:
        raise ValueError(f"no {asked.serving_config!r}; there are {', '.join(sorted(serving))}")
    config = serving[asked.serving_config]
    return LinearModel.of(config.version, config.weights)


if __name__ == "__main__":
    sys.exit(main())
