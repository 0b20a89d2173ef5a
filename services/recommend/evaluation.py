"""All models on the same items: tuned on validation, fitted, blended, measured once on test.

Neighbours, factors and counts are fitted again on all that precedes the test item; the sequential
model, whose training is long, keeps the weights that validation chose and reads the validation item
as part of the history, as its authors do.
"""

from __future__ import annotations

import dataclasses
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from services.recommend import tuning
from services.recommend.blend import Blend
from services.recommend.content import Content, ContentSettings
from services.recommend.factorisation import Als, AlsSettings, Bpr, BprSettings
from services.recommend.item_knn import ItemKnn, ItemKnnSettings
from services.recommend.popularity import Popularity
from services.recommend.ranking import (
    BATCH,
    Measured,
    measure_lists,
    top,
    user_shares,
    without_seen,
)
from services.recommend.recommender import Recommender, batches
from services.recommend.sequences import Attributes, Items, SequenceData
from services.recommend.sequential import Sequential, SequentialSettings
from services.recommend.split import Split, leave_one_out

BLEND, SEQUENTIAL, ALS, BPR = "blend", "sequential", "als", "bpr"
ITEM_KNN, POPULARITY, CONTENT = "item_knn", "popularity", "content"
ORDER = (BLEND, SEQUENTIAL, CONTENT, ALS, BPR, ITEM_KNN, POPULARITY)
"""Of the models in what is shown."""
STOPPING_USERS = 8_000
"""Validation users that the sequential model's epochs are compared on."""
BLENDED_USERS = 10_000
"""Validation users that the blend is fitted and compared on, half and half."""

Settings = TypeVar("Settings")
Result = TypeVar("Result")


class Progress(Protocol):
    """Told how far a stage is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """So many of so many steps of a stage are done."""
        ...


def _silent(stage: str, done: int, total: int) -> None:
    """Shows nothing."""


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How an evaluation goes.

    Attributes:
        sequential: Of the sequential model.
        tune: False takes the default settings of the other models.
        threads: Of all computation.
    """

    sequential: SequentialSettings = field(default_factory=SequentialSettings)
    tune: bool = True
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What was measured.

    Attributes:
        models: By name, in the order of ORDER.
        users: Names of the users who were measured, in the order of `Measured.ndcg`.
        all_users: Users of the data.
        items: Items of the data.
        interactions: Items of all sequences.
        repeats: Users left out because the test item stood in their sequence before.
        threads: Of the computation.
        chosen: What validation chose, by model.
        seconds: Spent by stage.
    """

    models: dict[str, Measured]
    users: tuple[str, ...]
    all_users: int
    items: int
    interactions: int
    repeats: int
    threads: int
    chosen: dict[str, Any]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The figures for machines."""
        return {
            "models": {name: measured.means() for name, measured in self.models.items()},
            "users": self.all_users,
            "items": self.items,
            "interactions": self.interactions,
            "evaluated_users": len(self.users),
            "repeated_targets": self.repeats,
            "threads": self.threads,
            "chosen": self.chosen,
            "seconds": {stage: round(spent, 1) for stage, spent in self.seconds.items()},
        }

    def by_user(self) -> dict[str, list[float]]:
        """nDCG@10 of every measured user, by model."""
        return {name: np.round(measured.ndcg, 6).tolist() for name, measured in self.models.items()}


def evaluate(
    data: SequenceData,
    attributes: Attributes | None = None,
    settings: EvaluationSettings | None = None,
    progress: Progress = _silent,
) -> Evaluation:
    """Tune, fit, blend and measure.

    Args:
        data: Sequences of all users.
        attributes: Of the items; adds the model CONTENT, and SEQUENTIAL and BLEND use them.
        settings: See there.
        progress: Told of every stage.

    Raises:
        TooShortError: No sequence is long enough to be measured, or to learn from.
    """
    run = _Run(data, attributes, settings or EvaluationSettings(), progress)
    return run.evaluation()


class _Run:
    """One evaluation, and what its stages leave for one another."""

    def __init__(
        self,
        data: SequenceData,
        attributes: Attributes | None,
        settings: EvaluationSettings,
        progress: Progress,
    ) -> None:
        self.data, self.attributes = data, attributes
        self.settings, self.progress = settings, progress
        self.items = len(data.items)
        self.split: Split = leave_one_out(data.sequences)
        self.chosen: dict[str, Any] = {}
        self.seconds: dict[str, float] = {}

    def evaluation(self) -> Evaluation:
        """All stages."""
        makers = self._makers()
        before = {name: make() for name, make in makers.items()}
        for name, model in before.items():
            self._timed(name, lambda model=model: model.fit(self.split.training))
        sequential = self._timed(SEQUENTIAL, self._sequential)
        blend = Blend({SEQUENTIAL: sequential, **before})
        self._timed(BLEND, lambda: self._fit_blend(blend))
        after = {name: make() for name, make in makers.items()}
        for name, model in after.items():
            self._timed(name, lambda model=model: model.fit(self.split.before_test))
        measured = self._timed(
            "measuring", lambda: self._measure({SEQUENTIAL: sequential, **after}, blend)
        )
        numbers: list[int] = self.split.test.users.tolist()
        return Evaluation(
            models={name: measured[name] for name in ORDER if name in measured},
            users=tuple(self.data.users[user] for user in numbers),
            all_users=len(self.data.users),
            items=self.items,
            interactions=sum(map(len, self.data.sequences)),
            repeats=self.split.test.repeats,
            threads=self.settings.threads,
            chosen=self.chosen,
            seconds=self.seconds,
        )

    def _makers(self) -> dict[str, Callable[[], Recommender]]:
        """How each model but the sequential one is made, with the settings that were chosen."""
        items, threads, known = self.items, self.settings.threads, self.attributes

        def knn(chosen: ItemKnnSettings) -> Recommender:
            return ItemKnn(items, chosen)

        def als(chosen: AlsSettings) -> Recommender:
            return Als(items, chosen, threads=threads)

        def bpr(chosen: BprSettings) -> Recommender:
            # One thread, because with more of them no two runs would find the same.
            return Bpr(items, chosen)

        makers = {
            ITEM_KNN: self._chosen(ITEM_KNN, ItemKnnSettings(), tuning.ITEM_KNN, knn),
            ALS: self._chosen(ALS, AlsSettings(), tuning.ALS, als),
            BPR: self._chosen(BPR, BprSettings(), tuning.BPR, bpr),
            POPULARITY: lambda: Popularity(items),
        }
        if known is not None:
            makers[CONTENT] = self._chosen(
                CONTENT,
                ContentSettings(),
                tuning.CONTENT,
                lambda chosen: Content(items, known, chosen),
            )
        return makers

    def _chosen(
        self,
        name: str,
        start: Settings,
        grid: Mapping[str, Sequence[float]],
        make: Callable[[Settings], Recommender],
    ) -> Callable[[], Recommender]:
        """Makes a model with the settings that validation chose."""
        found = start
        if self.settings.tune:
            found = self._timed(
                name,
                lambda: tuning.choose(
                    start,
                    grid,
                    make,
                    self.split.training,
                    tuning.some_users(self.split.validation),
                    advance=partial(self.progress, f"tuning {name}"),
                ),
            )
        given: Any = found
        self.chosen[name] = dataclasses.asdict(given)
        return lambda: make(found)

    def _sequential(self) -> Sequential:
        model = Sequential(
            self.items,
            tuning.some_users(self.split.validation, STOPPING_USERS),
            self.attributes,
            dataclasses.replace(self.settings.sequential, threads=self.settings.threads),
            advance=partial(self.progress, f"training {SEQUENTIAL}"),
        )
        model.fit(self.split.training)
        self.chosen[SEQUENTIAL] = {
            "epoch": model.best + 1,
            "epochs": len(model.epochs),
            "minutes": self.settings.sequential.minutes,
            "validation_ndcg@10": round(model.epochs[model.best].ndcg, 5),
        }
        return model

    def _fit_blend(self, blend: Blend) -> None:
        held = tuning.some_users(self.split.validation, BLENDED_USERS)
        figures = blend.fit_weights(held, advance=partial(self.progress, f"weighing {BLEND}"))
        self.chosen[BLEND] = {
            **dataclasses.asdict(blend.settings),
            "validation_ndcg@10": round(figures[blend.settings], 5),
            "weights": blend.weights,
        }

    def _measure(self, models: Mapping[str, Recommender], blend: Blend) -> dict[str, Measured]:
        """Every model on the test items; a batch is scored once for all of them."""
        held = self.split.test
        lists: dict[str, list[Items]] = defaultdict(list)
        for rows in batches(len(held.targets), BATCH):
            histories = held.histories[rows]
            scores = {
                name: without_seen(model.scores(histories), histories)
                for name, model in models.items()
            }
            scores[BLEND] = blend.combine(scores, histories)
            for name, found in scores.items():
                lists[name].append(top(found))
            self.progress("measuring", rows.stop, len(held.targets))
        shares = user_shares(self.split.training, self.items)
        return {
            name: measure_lists(np.concatenate(found), held.targets, shares)
            for name, found in lists.items()
        }

    def _timed(self, stage: str, work: Callable[[], Result]) -> Result:
        begun = time.monotonic()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - begun
        return result
