"""The parts that an evaluation of search leaves out, and the suite that lets it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.cli import failures
from shared.evaluation.ablations import PARTS, Ablation, of_features

WEIGHTS = "WHEREFORE_RANKING_WEIGHTS_PATH"
LEARNT = "WHEREFORE_RANKING_SEARCH_MODEL_PATH"


@dataclass(frozen=True, slots=True)
class Parts:
    """What is left out, by name, and the settings that a suite needs for it."""

    ablations: Mapping[str, Ablation]
    variables: Mapping[str, str]


@contextmanager
def search_parts() -> Generator[Parts]:
    """All parts of the path, with ranking's weights in a file of their own meanwhile.

    Raises:
        CommandError: Search is ranked by a trained model, which cannot do without its features.
    """
    from services.ranking.ablation import without_features
    from services.ranking.config import DEFAULT_WEIGHTS
    from services.ranking.weights import load_weights

    if os.environ.get(LEARNT):
        raise failures.CommandError(
            f"{LEARNT} is set, and features can be left out of weights alone; unset it",
            code=failures.USAGE,
        )
    served = Path(os.environ.get(WEIGHTS) or DEFAULT_WEIGHTS)
    weights, configs = without_features(load_weights(served))
    with tempfile.TemporaryDirectory(prefix="wherefore-weights-") as folder:
        path = Path(folder) / "weights.json"
        path.write_text(weights.model_dump_json(), encoding="utf-8")
        yield Parts({**PARTS, **of_features(configs)}, {WEIGHTS: str(path)})
