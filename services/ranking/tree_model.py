"""A learnt ranker: boosted trees on top of the linear model, each score explained exactly.

A tree's contributions are TreeSHAP values (Lundberg et al., "From local explanations to global
understanding with explainable AI for trees", Nature Machine Intelligence 2020), which LightGBM
computes itself. Shapley values of a sum of models add up, so those of the linear part and those
of the trees together sum to the score.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.weights import Finite

if TYPE_CHECKING:
    import lightgbm


class ModelFileError(ValueError):
    """A model's file cannot be used; the message says why."""


class _ModelFile(BaseModel):
    """What a file of a tree model holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    version: str
    features: tuple[str, ...]
    """Columns that the trees read, in their order."""
    linear: dict[str, Finite]
    """Weights of the linear part; empty where there is none."""
    trees: str
    """LightGBM's own text."""


class TreeModel:
    """Linear score plus boosted trees. Needs the library lightgbm.

    Args:
        version: Name and version, as responses say it.
        features: Columns that the trees read.
        linear: Weights of the linear part; features not named weigh 0.
        trees: What was trained.

    Raises:
        ModelFileError: A feature is unknown to this version of ranking.
    """

    FORMAT = 1

    def __init__(
        self,
        version: str,
        features: tuple[str, ...],
        linear: dict[str, float],
        trees: "lightgbm.Booster",
    ) -> None:
        unknown = sorted({*features, *linear} - set(FEATURES))
        if unknown:
            raise ModelFileError(f"features that are not computed: {', '.join(unknown)}")
        if trees.num_feature() != len(features):
            message = f"the trees read {trees.num_feature()} features, {len(features)} are named"
            raise ModelFileError(message)
        self.version = version
        self.features = features
        self._linear_weights = linear
        self._linear = LinearModel.of(version, linear)
        self._columns = [FEATURES.index(name) for name in features]
        self._trees = trees
        self._predict: Any = cast("Any", trees).predict  # it is typed in part only

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a file that `save` wrote.

        Raises:
            OSError: It cannot be read.
            ModelFileError: It is no such file, or of another version of the features, or lightgbm
                is not installed.
        """
        try:
            import lightgbm
        except ImportError as error:
            message = f"{path} needs LightGBM: pip install 'wherefore[ranking]'"
            raise ModelFileError(message) from error

        text = path.read_text(encoding="utf-8")
        try:
            file = _ModelFile.model_validate_json(text)
        except ValidationError as error:
            raise ModelFileError(f"{path}: not a ranking model: {error}") from error
        if file.format != cls.FORMAT:
            raise ModelFileError(f"{path}: format {file.format}, this version reads {cls.FORMAT}")
        try:
            trees = lightgbm.Booster(model_str=file.trees)
        except lightgbm.basic.LightGBMError as error:
            raise ModelFileError(f"{path}: its trees cannot be read: {error}") from error
        try:
            return cls(file.version, file.features, dict(file.linear), trees)
        except ModelFileError as error:
            raise ModelFileError(f"{path}: {error}") from error

    def save(self, path: Path) -> None:
        """Writes the model as JSON; its folder must be there."""
        content = {
            "format": self.FORMAT,
            "version": self.version,
            "features": self.features,
            "linear": self._linear_weights,
            "trees": self._trees.model_to_string(),
        }
        path.write_text(json.dumps(content) + "\n", encoding="utf-8")

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `ScoringModel.score`."""
        # One thread: a hundred rows are not worth waking others.
        raised = self._predict(values[:, self._columns], num_threads=1)
        return self._linear.score(values) + np.asarray(raised, dtype=np.float64)

    def base_value(self, values: NDArray[np.float64]) -> float:
        """Returns the linear score of the mean candidate plus the trees' mean in training."""
        first = values[:1, self._columns]
        return self._linear.base_value(values) + float(self._tree_values(first)[0, -1])

    def contributions(self, values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """See `ScoringModel.contributions`; exact for both parts."""
        base, added = self._linear.contributions(values)
        of_trees = self._tree_values(values[:, self._columns])
        added[:, self._columns] += of_trees[:, :-1]
        return base + float(of_trees[0, -1]), added

    def _tree_values(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """TreeSHAP: (candidates, columns + 1), the last the expectation over training."""
        values = self._predict(columns, pred_contrib=True, num_threads=1)
        return np.asarray(values, dtype=np.float64)
