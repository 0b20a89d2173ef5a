"""Pooled, local, federated, secure and private training of one model, measured alike.

All of them take as many passes over the same examples, with the same steps; what differs is who
sees what.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from shared.federated.errors import FederatedError
from shared.federated.flower.in_process import train_in_process
from shared.federated.learning import train
from shared.federated.models import Weights
from shared.federated.privacy import noise_for
from shared.federated.result import delta_for, privacy_of
from shared.federated.rows import Rows
from shared.federated.settings import RunSettings
from shared.federated.split import deal_out
from shared.federated.trial import Trial

OnRound = Callable[[], object]
POOLED: Final = "pooled"
LOCAL: Final = "each shop alone"
FEDERATED: Final = "federated"
SECURE: Final = "federated, secure aggregation"
MANY: Final = "federated, many shops"
PRIVATE: Final = "private"
BOTH: Final = "private, secure aggregation"


class Plan(BaseModel):
    """What is compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shops: int = Field(default=24, ge=3)
    """Of the runs without noise."""
    many_shops: int = Field(default=1000, ge=3)
    """Of the private runs: noise hides one of many better than one of few."""
    concentration: float = Field(default=0.5, gt=0.0)
    """Of the Dirichlet distribution that makes shops unlike: small is unlike."""
    rounds: int = Field(default=40, ge=1)
    learning_rate: float = Field(default=1.0, gt=0.0)
    batch: int = Field(default=32, ge=1)
    private_rounds: int = Field(default=60, ge=1)
    private_rate: float = Field(default=1.0, gt=0.0)
    """Learning rate of the private runs, whose updates are clipped."""
    sample_rate: float = Field(default=0.2, gt=0.0, le=1.0)
    clip: float = Field(default=1.0, gt=0.0)
    epsilons: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0)
    secure_epsilon: float = 8.0
    """At which secure aggregation and noise are run together; 0 leaves that run out."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table."""

    name: str
    shops: int
    value: float
    """By the trial's figure."""
    epsilon: float | None = None
    delta: float | None = None
    noise: float | None = None
    rounds: int = 0
    worst: float | None = None
    best: float | None = None
    """Of single shops, for those that train alone."""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Returns it without what does not apply."""
        return {key: each for key, each in asdict(self).items() if each is not None}


def rounds_of(plan: Plan) -> int:
    """Returns how many rounds `compare` reports in all."""
    private = len(plan.epsilons) + 1 + bool(plan.secure_epsilon)
    return 2 * plan.rounds + private * plan.private_rounds


def compare(
    trial: Trial, plan: Plan, *, folder: Path | None = None, on_round: OnRound = lambda: None
) -> Iterator[Outcome]:
    """Trains in every way.

    Args:
        trial: What to train and measure on.
        plan: How.
        folder: For checkpoints, one folder a run: a comparison that was stopped goes on with the
            round it was in.
        on_round: Called after each round of a federated run.

    Raises:
        FederatedError: There are fewer examples than shops, or `folder` is of another comparison.
    """
    if len(trial.train) < max(plan.shops, plan.many_shops):
        raise FederatedError(
            f"{len(trial.train)} examples for {max(plan.shops, plan.many_shops)} shops: every shop "
            "needs one"
        )
    few, many = (
        [
            trial.train.of_examples(own)
            for own in deal_out(trial.strata, count, plan.concentration, plan.seed)
        ]
        for count in (plan.shops, plan.many_shops)
    )
    yield _pooled(trial, plan)
    yield _alone(trial, plan, few)

    def run(name: str, shops: Sequence[Rows], settings: RunSettings) -> Outcome:
        begun = time.perf_counter()
        weights = _federated(trial, shops, settings, folder / _slug(name) if folder else None,
                             on_round)  # fmt: skip
        spent = privacy_of(settings, len(shops))
        return Outcome(
            name,
            len(shops),
            trial.measure(weights),
            epsilon=spent["epsilon"] if spent else None,
            delta=spent["delta"] if spent else None,
            noise=settings.noise or None,
            rounds=settings.rounds,
            seconds=time.perf_counter() - begun,
        )

    open_run = RunSettings(
        rounds=plan.rounds,
        batch=plan.batch,
        learning_rate=plan.learning_rate,
        secure=False,
        seed=plan.seed,
    )
    yield run(FEDERATED, few, open_run)
    yield run(SECURE, few, open_run.model_copy(update={"secure": True}))
    clipped = open_run.model_copy(
        update={
            "rounds": plan.private_rounds,
            "sample_rate": plan.sample_rate,
            "learning_rate": plan.private_rate,
            "clip": plan.clip,
        }
    )
    yield run(MANY, many, clipped)
    wanted = [(PRIVATE, each, False) for each in plan.epsilons]
    wanted += [(BOTH, plan.secure_epsilon, True)] if plan.secure_epsilon else []
    for name, epsilon, secure in wanted:
        noise = noise_for(
            wanted=epsilon,
            sample_rate=plan.sample_rate,
            rounds=plan.private_rounds,
            delta=delta_for(len(many)),
        )
        noisy = {"noise": noise, "noise_seed": plan.seed, "secure": secure}
        yield run(f"{name}, epsilon {epsilon:g}", many, clipped.model_copy(update=noisy))


def _pooled(trial: Trial, plan: Plan) -> Outcome:
    begun = time.perf_counter()
    value = trial.measure(_alone_weights(trial, trial.train, plan))
    return Outcome(POOLED, 1, value, rounds=plan.rounds, seconds=time.perf_counter() - begun)


def _alone(trial: Trial, plan: Plan, shops: Sequence[Rows]) -> Outcome:
    begun = time.perf_counter()
    values = [trial.measure(_alone_weights(trial, rows, plan)) for rows in shops]
    return Outcome(
        LOCAL,
        len(shops),
        float(np.mean(values)),
        rounds=plan.rounds,
        worst=min(values),
        best=max(values),
        seconds=time.perf_counter() - begun,
    )


def _alone_weights(trial: Trial, rows: Rows, plan: Plan) -> Weights:
    model = trial.task.model()
    return train(
        model,
        model.initial(),
        rows,
        epochs=plan.rounds,
        batch=plan.batch,
        learning_rate=plan.learning_rate,
        random=np.random.default_rng(plan.seed),
    )


def _federated(
    trial: Trial,
    shops: Sequence[Rows],
    settings: RunSettings,
    folder: Path | None,
    on_round: OnRound,
) -> Weights:
    model = trial.task.model()
    return train_in_process(
        model,
        lambda number: (model, shops[number]),
        len(shops),
        settings,
        folder=folder,
        about={
            "task": trial.task.model_dump(mode="json"),
            "sizes": [len(rows) for rows in shops],
        },
        on_round=on_round,
    )


def _slug(name: str) -> str:
    return "-".join(name.replace(",", "").split())
