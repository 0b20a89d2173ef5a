"""The whole of ranking: features, scores, confidence, variety, contributions."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from services.ranking.calibration import confidence
from services.ranking.deep.serving import Added
from services.ranking.diversity import Likeness, diversify
from services.ranking.explain import FeatureContribution, explain, telling
from services.ranking.exploration import Explorer
from services.ranking.features import PICTURE, FeatureTable, compute_features
from services.ranking.model import LinearModel
from services.ranking.product_text import ProductTextCache
from services.ranking.query import QueryView, view_query
from services.ranking.variants import Variants
from services.ranking.weights import Weights
from shared.errors import InvalidArgumentError
from shared.text.language import primary_language
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate

MAX_CANDIDATES = 1_000
MAX_PICTURE_WEIGHT = 100.0
DEFAULT_SERVING_CONFIG = "search"


@dataclass(frozen=True, slots=True)
class RankInput:
    """What to rank and how."""

    candidates: Sequence[Candidate]
    query: QueryUnderstanding | None = None
    user: UserProfile | None = None
    serving_config: str = ""
    limit: int = 0
    include_contributions: bool = False
    include_telling: bool = False
    """Whether to return what of the contributions a reason may tell, where not all are wanted."""
    diversity: float | None = None
    explore: bool = False
    """Whether the order may be drawn, where the ranker explores."""
    include_features: bool = False
    variant: str = ""
    """Which of the models ranks; see `variants`."""
    picture_weight: float = 1.0
    """How much the pictures of products count against all else."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One candidate in its place."""

    product_id: str
    rank: int
    score: float
    confidence: float
    contributions: Sequence[FeatureContribution]
    propensity: float = 0.0
    """Probability of this candidate in this place; 0 where the order was not drawn."""
    features: Sequence[float] = ()
    """Values of all features, where they are wanted."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order, best first."""

    results: Sequence[Placed]
    model: str
    base_value: float
    linear: bool
    """Whether the model is linear: only then does one feature's change tell the score's."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Candidates with their features, before they are put into order."""

    wanted: RankInput
    serving_config: str
    language: str
    """Of the query, such as "zh"; "" for none."""
    has_query: bool
    table: FeatureTable


class Ranker:
    """Ranks with the weights of a file. Not thread-safe."""

    def __init__(
        self,
        weights: Weights,
        text_cache_size: int,
        clock: Callable[[], float] = time.time,
        *,
        variants: Variants | None = None,
        explorer: Explorer | None = None,
    ) -> None:
        self._weights = weights
        self._variants = variants or Variants(weights)
        self._explorer = explorer
        self._texts = ProductTextCache(text_cache_size)
        self._clock = clock

    def rank(self, wanted: RankInput) -> Ranking:
        """Puts the candidates into order.

        Raises:
            InvalidArgumentError: Names the field at fault.
        """
        return self.place(self.prepare(wanted))

    def prepare(self, wanted: RankInput) -> Prepared:
        """Checks what is wanted, and computes the features.

        Raises:
            InvalidArgumentError: Names the field at fault.
        """
        name = wanted.serving_config or DEFAULT_SERVING_CONFIG
        self._validate(wanted, name)
        language = primary_language(wanted.query.language_code) if wanted.query is not None else ""
        query = view_query(wanted.query) if wanted.query is not None else QueryView()
        table = compute_features(query, wanted.candidates, wanted.user, self._texts, self._clock())
        return Prepared(wanted, name, language, query.present, table)

    def place(self, prepared: Prepared, added: Added | None = None) -> Ranking:
        """Puts candidates whose features are known into order.

        Args:
            prepared: As `prepare` gives it.
            added: What a deep ranker adds to the scores.
        """
        wanted, table, language = prepared.wanted, prepared.table, prepared.language
        config = self._weights.serving[prepared.serving_config]
        explorer = self._explorer if wanted.explore else None
        model, root = self._variants.find(
            wanted.variant, prepared.serving_config, language, explore=explorer is not None
        )
        if wanted.picture_weight != 1.0 and isinstance(model, LinearModel):
            model = model.with_times(PICTURE, wanted.picture_weight)
        scores = model.score(table.values)
        version = model.version
        told: dict[int, list[FeatureContribution]] = {}
        if wanted.include_contributions:
            base, contributions = model.contributions(table.values)
        else:  # trees take their time over them
            base, contributions = model.base_value(table.values), table.values
            if wanted.include_telling and added is None and isinstance(model, LinearModel):
                told = telling(table.values, model.contributions(table.values)[1])
        if added is not None:
            version = f"{version}+{added.version}"
            scores = scores + added.scores
            if added.contributions is not None:
                base, contributions = base + added.base, contributions + added.contributions
        probabilities = (
            confidence(table, self._weights.calibration)
            if prepared.has_query
            else np.zeros_like(scores)
        )
        asked = wanted.diversity
        likeness = Likeness.of(
            [candidate.product for candidate in wanted.candidates],
            # Who asks for variety means all of it, not only the default's share.
            config.diversity.similar_by if asked is None else tuple(self._weights.similarity),
            self._weights.similarity,
        )
        strength = config.diversity.strength if asked is None else asked
        limit = wanted.limit or len(scores)
        if explorer:
            drawn = explorer.order(
                scores,
                table.values,
                config.weights_in(language),
                likeness=likeness,
                strength=strength,
                limit=limit,
                root=root,
            )
            order, propensities = drawn.order, drawn.propensities
        else:
            order = diversify(scores, likeness, strength, limit)
            propensities = np.zeros(len(order))
        return Ranking(
            results=[
                Placed(
                    product_id=wanted.candidates[index].product.id,
                    rank=rank,
                    score=float(scores[index]),
                    confidence=float(probabilities[index]),
                    contributions=explain(
                        table.values[index],
                        contributions[index],
                        with_values=explorer is not None,
                    )
                    if wanted.include_contributions
                    else told.get(index, ()),
                    propensity=float(propensities[rank - 1]),
                    features=table.values[index].tolist() if wanted.include_features else (),
                )
                for rank, index in enumerate(order, start=1)
            ],
            model=version,
            base_value=base,
            linear=added is None and isinstance(model, LinearModel),
        )

    def _validate(self, wanted: RankInput, serving_config: str) -> None:
        count = len(wanted.candidates)
        if not 1 <= count <= MAX_CANDIDATES:
            raise InvalidArgumentError.of(
                "candidates", f"must hold 1 to {MAX_CANDIDATES} candidates, holds {count}"
            )
        seen: set[str] = set()
        for index, candidate in enumerate(wanted.candidates):
            field = f"candidates[{index}].product.id"
            if not candidate.product.id:
                raise InvalidArgumentError.of(field, "must not be empty")
            if candidate.product.id in seen:
                raise InvalidArgumentError.of(field, "is there twice; send each product once")
            seen.add(candidate.product.id)
            if not math.isfinite(candidate.fused_score) or not all(
                math.isfinite(leg.score) for leg in candidate.legs
            ):
                raise InvalidArgumentError.of(f"candidates[{index}]", "scores must be finite")
        if serving_config not in self._weights.serving:
            known = ", ".join(sorted(self._weights.serving))
            raise InvalidArgumentError.of("serving_config", f"is unknown; known are {known}")
        weight = wanted.picture_weight
        if not (math.isfinite(weight) and 0.0 <= weight <= MAX_PICTURE_WEIGHT):
            raise InvalidArgumentError.of("picture_weight", f"must be 0 to {MAX_PICTURE_WEIGHT:g}")
        if wanted.limit < 0:
            raise InvalidArgumentError.of("limit", "must be at least 0")
        if wanted.diversity is not None and not 0.0 <= wanted.diversity <= 1.0:
            raise InvalidArgumentError.of("diversity", "must be 0 to 1")
