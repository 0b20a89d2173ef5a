"""The training loop: stages over parts of the corpus, checkpoints that a run is taken up from."""

import json
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import torch
from tqdm import tqdm

from services.reason.train.batches import Batch, batches
from services.reason.train.recipe import Recipe, Stage
from services.reason.train.vocabulary import Encoded

_TORCH: Any = torch
CHECKPOINT: Final = "checkpoint.pt"
HISTORY: Final = "history.json"
_FLOOR: Final = 0.1
"""Of the peak rate, where the cosine ends."""

Loss = Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]
Judge = Callable[[Any], dict[str, Any]]
"""What is measured after an epoch."""


@dataclass
class Place:
    """Where a run stands: what comes next, and what was measured."""

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=lambda: [])


class Trainer:
    """Trains one network by a recipe.

    Args:
        network: Of transformers; its trainable parameters are trained.
        recipe: The stages and rates.
        parts: Examples of the train split, by part of the corpus.
        loss: Of network, ids and targets.
        judge: Measures after each epoch.
        keep: Writes the network after each epoch.
        folder: Of checkpoint and history.
    """

    def __init__(
        self,
        network: Any,
        recipe: Recipe,
        parts: Mapping[str, Sequence[Encoded]],
        *,
        loss: Loss,
        judge: Judge,
        keep: Callable[[], None],
        folder: Path,
    ) -> None:
        self._network, self._recipe, self._parts = network, recipe, parts
        self._loss, self._judge, self._keep = loss, judge, keep
        self._folder = folder
        self._place = Place()
        self._optimiser: Any = None
        self._saved = time.monotonic()

    def run(self) -> list[dict[str, Any]]:
        """Trains to the end, from the checkpoint where there is one; returns the history."""
        self._folder.mkdir(parents=True, exist_ok=True)
        state = self._load()
        for index in range(self._place.stage, len(self._recipe.stages)):
            stage = self._recipe.stages[index]
            self._optimiser = self._new_optimiser(stage)
            if state is not None:
                self._optimiser.load_state_dict(state)
                state = None
            self._stage(index, stage)
        return self._place.history

    def _new_optimiser(self, stage: Stage) -> Any:
        trained = [p for p in self._network.parameters() if p.requires_grad]
        decayed = [p for p in trained if p.ndim > 1]
        others = [p for p in trained if p.ndim <= 1]
        groups = [
            {"params": decayed, "weight_decay": self._recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98))

    def _examples(self, stage: Stage, rng: random.Random) -> list[Encoded]:
        found: list[Encoded] = []
        for name, share in stage.parts.items():
            part = self._parts.get(name, ())
            found += rng.sample(part, min(len(part), math.ceil(len(part) * share)))
        return found

    def _stage(self, index: int, stage: Stage) -> None:
        place, recipe = self._place, self._recipe
        for epoch in range(place.epoch, stage.epochs):
            rng = random.Random(f"{recipe.seed}/{index}/{epoch}")  # noqa: S311  # no secret
            made = list(batches(self._examples(stage, rng), recipe.batch_tokens, rng))
            steps = len(made) * stage.epochs
            losses: list[float] = []
            self._network.train()
            title = f"stage {index + 1}, epoch {epoch + 1}"
            bar: Any = tqdm(made[place.batch :], desc=title, unit="step")
            for batch in bar:
                done = epoch * len(made) + place.batch
                if recipe.max_steps and done >= recipe.max_steps:
                    break
                rate = stage.learning_rate * self._share(done, steps)
                losses.append(self._step(batch, rate))
                place.batch += 1
                recent = losses[-50:]
                bar.set_postfix(loss=f"{sum(recent) / len(recent):.3f}")
                self._save_at_times()
            place.epoch, place.batch = epoch + 1, 0
            self._close_epoch(index, epoch, losses)
        place.stage, place.epoch = index + 1, 0
        self._save()

    def _close_epoch(self, index: int, epoch: int, losses: Sequence[float]) -> None:
        self._network.eval()
        record = {
            "stage": index + 1,
            "epoch": epoch + 1,
            "loss": sum(losses) / len(losses) if losses else None,
            **self._judge(self._network),
        }
        self._place.history.append(record)
        text = json.dumps(self._place.history, ensure_ascii=False, indent=1)
        (self._folder / HISTORY).write_text(text + "\n", encoding="utf-8")
        self._keep()
        self._save()

    def _share(self, step: int, steps: int) -> float:
        warm = max(1, int(steps * self._recipe.warmup_share))
        if step < warm:
            return (step + 1) / warm
        turn = math.cos(math.pi * min(1.0, (step - warm) / max(1, steps - warm)))
        return _FLOOR + (1 - _FLOOR) * (1 + turn) / 2

    def _step(self, batch: Batch, rate: float) -> float:
        began = time.monotonic()
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        ids, targets = _TORCH.from_numpy(batch.ids), _TORCH.from_numpy(batch.targets)
        device = next(self._network.parameters()).device
        ids, targets = ids.to(device), targets.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            loss = self._loss(self._network, ids, targets)
        self._optimiser.zero_grad()
        cast(Any, loss).backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.clip_norm)
        self._optimiser.step()
        self._place.seconds += time.monotonic() - began
        return float(loss.detach())

    def _save_at_times(self) -> None:
        if time.monotonic() - self._saved > self._recipe.checkpoint_seconds:
            self._save()

    def _save(self) -> None:
        part = self._folder / f"{CHECKPOINT}.part"
        state = {
            "network": dict(self._network.state_dict()),
            "optimiser": self._optimiser.state_dict(),
            "place": asdict(self._place),
        }
        torch.save(state, part)
        part.replace(self._folder / CHECKPOINT)
        self._saved = time.monotonic()

    def _load(self) -> dict[str, Any] | None:
        """Takes the run up; returns what the optimiser knew, if a stage was under way."""
        path = self._folder / CHECKPOINT
        if not path.is_file():
            return None
        state = torch.load(path, weights_only=True)
        self._network.load_state_dict(state["network"])
        self._place = Place(**state["place"])
        under_way = self._place.epoch or self._place.batch
        return state["optimiser"] if under_way else None


def perplexity(network: Any, examples: Sequence[Encoded], loss: Loss, tokens: int) -> float:
    """Returns exp of the mean loss a token of the reasons, over all examples."""
    total, count = 0.0, 0
    with torch.no_grad():
        for batch in batches(examples, tokens, None):
            wanted = int(batch.targets[:, 1:].sum())
            ids, targets = _TORCH.from_numpy(batch.ids), _TORCH.from_numpy(batch.targets)
            total += float(loss(network, ids, targets)) * wanted
            count += wanted
    return math.exp(total / count) if count else math.nan
