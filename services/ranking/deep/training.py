"""Trains the network: AdamW, early stopping on held-out queries, checkpoints to go on from.

In several processes each has its own share of the pages (`shared.distributed`). What an epoch draws
hangs on the seed, the epoch and the process alone, so a run that was stopped goes on as if it had
not been.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from services.ranking.clicks.page_log import PageLogError
from services.ranking.deep.impressions import Impressions
from services.ranking.deep.network import DeepNetwork, Shape, unbiased_loss
from shared.distributed import Processes

CHECKPOINT: Final = "checkpoint.pt"
_BATCH_MEASURED: Final = 65_536

OnEpoch = Callable[["Epoch"], object]


class TrainingSettings(BaseModel):
    """How the network is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: Shape = Shape()
    epochs: int = Field(default=40, ge=1)
    """At most."""
    patience: int = Field(default=4, ge=1)
    """Epochs without a lower validation loss before it stops."""
    batch: int = Field(default=2048, ge=1)
    """Rows of a step, those of all processes together."""
    learning_rate: float = Field(default=3e-3, gt=0)
    weight_decay: float = Field(default=1e-2, ge=0)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Epoch:
    """What an epoch came to: mean losses in nats an impression, by training and validation."""

    number: int
    training: float
    validation: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained network, with the weights of its best epoch."""

    network: DeepNetwork
    epochs: list[Epoch]
    best: int
    """Place of that epoch in `epochs`."""


def fit(
    training: Impressions,
    validation: Impressions,
    looked: NDArray[np.float64],
    settings: TrainingSettings,
    *,
    processes: Processes,
    folder: Path | None = None,
    on_epoch: OnEpoch = lambda _: None,
) -> Fitted:
    """Trains on this process's share.

    Args:
        training: Rows to learn; every process has some.
        validation: Rows of other queries, which choose the epoch; some process has some.
        looked: (places,) propensity of each place, the same in all processes.
        settings: See there.
        processes: All of them.
        folder: For the checkpoint; nothing is kept without one.
        on_epoch: Called after each epoch, in process 0.

    Raises:
        PageLogError: There is nothing to learn or to choose by, or `folder` holds a checkpoint of
            another run.
    """
    most, negative_least = processes.max([len(training), -len(training)])
    (held,) = processes.sum([len(validation)])
    if not negative_least or not held:
        raise PageLogError(
            "a process has no pages to learn from" if held else "no query is left to choose by"
        )
    random: Any = torch.random
    with random.fork_rng():
        _seed(settings.seed)
        run = _Run(
            settings,
            processes,
            training,
            validation,
            looked=looked,
            folder=folder,
            most_rows=int(most),
        )
        while not run.over():
            run.epoch()
            if processes.main:
                on_epoch(run.epochs[-1])
    return run.fitted()


def forget(folder: Path) -> None:
    """Removes the checkpoint of a run, and its folder where nothing else lies in it."""
    (folder / CHECKPOINT).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


class _Run:
    def __init__(
        self,
        settings: TrainingSettings,
        processes: Processes,
        training: Impressions,
        validation: Impressions,
        *,
        looked: NDArray[np.float64],
        folder: Path | None,
        most_rows: int,
    ) -> None:
        self._settings, self._processes = settings, processes
        self._training = _tensors(training, looked)
        self._validation = _tensors(validation, looked)
        self._network = DeepNetwork(training.features.shape[1], settings.shape)
        self._wrapped = processes.wrap(self._network)
        self._optimiser: Any = torch.optim.AdamW(
            self._network.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
        )
        self._own_batch = max(1, settings.batch // processes.count)
        self._steps = math.ceil(most_rows / self._own_batch)
        self._path = folder / CHECKPOINT if folder is not None else None
        self.epochs: list[Epoch] = []
        self._best = -1
        self._best_weights: dict[str, torch.Tensor] = {}
        # Whoever goes on with other settings or other data would get neither run.
        self._about = {
            "settings": settings.model_dump(mode="json"),
            "rows": most_rows,
            "looked": [round(float(each), 12) for each in looked],
            "processes": processes.count,
        }
        self._load()

    def over(self) -> bool:
        done = len(self.epochs)
        waited = done - 1 - self._best
        return done >= self._settings.epochs or bool(done and waited >= self._settings.patience)

    def epoch(self) -> None:
        number = len(self.epochs)
        drawn = (self._settings.seed, number, self._processes.rank)
        _seed(int(np.random.SeedSequence(drawn).generate_state(1)[0]))
        self._wrapped.train()
        features, outcomes, looked = self._training
        # A share smaller than the largest begins again, as all must take as many steps.
        wanted = self._steps * self._own_batch
        rows = len(features)
        turns = [torch.randperm(rows) for _ in range(math.ceil(wanted / rows))]
        order = torch.cat(turns)[:wanted] if self._processes.count > 1 else turns[0]
        total, counted = 0.0, 0
        for begin in range(0, len(order), self._own_batch):
            chosen = order[begin : begin + self._own_batch]
            moved = [
                each[chosen].to(self._processes.device) for each in (features, outcomes, looked)
            ]
            loss: Any = unbiased_loss(self._wrapped(moved[0]), moved[1], moved[2])
            self._optimiser.zero_grad(set_to_none=True)
            (loss / len(chosen)).backward()
            self._optimiser.step()
            total, counted = total + loss.item(), counted + len(chosen)
        self._judge(number, total, counted)
        self._save()

    def fitted(self) -> Fitted:
        self._network.load_state_dict(self._best_weights)
        return Fitted(self._network.cpu().eval(), self.epochs, self._best)

    def _judge(self, number: int, total: float, counted: int) -> None:
        self._network.eval()
        held = 0.0
        features, outcomes, looked = self._validation
        with torch.inference_mode():
            for begin in range(0, len(features), _BATCH_MEASURED):
                some = slice(begin, begin + _BATCH_MEASURED)
                moved = [
                    each[some].to(self._processes.device) for each in (features, outcomes, looked)
                ]
                held += unbiased_loss(self._network(moved[0]), moved[1], moved[2]).item()
        sums = self._processes.sum([total, counted, held, len(features)])
        learnt, rows, lost, held_rows = sums
        self.epochs.append(Epoch(number + 1, learnt / rows, lost / held_rows))
        if self._best < 0 or self.epochs[-1].validation < self.epochs[self._best].validation:
            self._best = number
            self._best_weights = {
                name: value.detach().cpu().clone()
                for name, value in self._network.state_dict().items()
            }

    def _save(self) -> None:
        if self._path is None or not self._processes.main:
            return
        part = self._path.with_suffix(".part")
        part.parent.mkdir(parents=True, exist_ok=True)
        torch.save(
            {
                "about": self._about,
                "weights": self._network.state_dict(),
                "optimiser": self._optimiser.state_dict(),
                "epochs": [asdict(epoch) for epoch in self.epochs],
                "best": self._best,
                "best_weights": self._best_weights,
            },
            part,
        )
        part.replace(self._path)

    def _load(self) -> None:
        """Goes on from the checkpoint; process 0 reads it for all."""
        held: Any = None
        if self._path is not None and self._processes.main and self._path.is_file():
            held = torch.load(self._path, map_location="cpu", weights_only=True)
        held = self._processes.agree(held)
        if held is None:
            return
        if held["about"] != self._about:
            raise PageLogError(
                f"{self._path} is of another run: other settings, pages or processes; remove it"
            )
        self._network.load_state_dict(held["weights"])
        self._optimiser.load_state_dict(held["optimiser"])
        self.epochs = [Epoch(**epoch) for epoch in held["epochs"]]
        self._best, self._best_weights = held["best"], held["best_weights"]


def _tensors(
    of: Impressions, looked: NDArray[np.float64]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Features, outcomes and propensities of the rows."""
    at = np.minimum(of.places, len(looked) - 1)
    return (
        torch.as_tensor(of.features),
        torch.as_tensor(of.outcomes),
        torch.as_tensor(looked[at].astype(np.float32)),
    )


def _seed(seed: int) -> None:
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
