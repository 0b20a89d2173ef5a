"""The one training loop: every recipe hands it a model, batches, a loss and an evaluation.

AdamW with warm-up and linear decay, early stopping on dev, checkpoints that a run is taken up from,
mixed precision where the device has it, several devices by `accelerate`, TensorBoard.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from accelerate.utils import set_seed
from pydantic import BaseModel, Field
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from services.nlu.train.progress import History, Progress

LOG_STEPS = 20
"""Steps between two records of the loss."""

BEST = "best.pt"
"""Weights of the best epoch, in the folder of a run."""

Batch = Mapping[str, Any]
Losses = Mapping[str, torch.Tensor]


class LoopSettings(BaseModel):
    """What every recipe may choose of the loop."""

    epochs: int = Field(default=3, ge=1)
    learning_rate: float = Field(default=5e-4, gt=0)
    """Peak of the schedule."""
    warmup_share: float = Field(default=0.06, ge=0, lt=1)
    """Share of all steps over which the rate grows."""
    weight_decay: float = Field(default=0.01, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    seed: int = 17
    mixed_precision: bool = True
    """bfloat16 where the device computes with it; weights stay float32."""
    patience: int = Field(default=0, ge=0)
    """Epochs without a better dev figure before it stops; 0 never stops early."""
    checkpoint_seconds: float = Field(default=120.0, gt=0)
    """Seconds between checkpoints within an epoch."""
    trackers: tuple[str, ...] = ("tensorboard",)
    """Also "wandb", which is then to be installed and configured."""
    average_decay: float = Field(default=0.0, ge=0, lt=1)
    """Of the exponential moving average of the weights, which is what is judged and kept; 0 keeps
    the weights themselves."""
    max_steps: int = Field(default=0, ge=0)
    """Stops after so many steps, for trials; 0 goes through all epochs."""


@dataclass(frozen=True)
class Recipe:
    """One training run.

    Attributes:
        model: Trained in place; at the end it holds the best epoch's weights when `score` is given.
        batches: Epoch -> batches in order. The same epoch must give the same batches.
        loss: Model and batch to named losses; their sum is minimised.
        evaluate: Model to named figures, after every epoch.
        score: Name of the figure that decides which epoch is best, larger being better; "" keeps
            the last.
        rates: Prefix of parameter names -> factor on the learning rate.
    """

    model: torch.nn.Module
    batches: Callable[[int], Sequence[Any]]
    collate: Callable[[Any, int], Batch]
    loss: Callable[[Any, Batch], Losses]
    evaluate: Callable[[Any], Mapping[str, float]]
    score: str = ""
    rates: Mapping[str, float] = field(default_factory=lambda: {})
    after_backward: Callable[[int], None] | None = None
    """Called with the step after every update, while the gradients are still there."""


def train(recipe: Recipe, settings: LoopSettings, folder: Path, *, title: str) -> History:
    """Runs a recipe, or takes up the run that `folder` holds.

    Args:
        recipe: What to train.
        settings: How.
        folder: For checkpoints, curves and the trackers' logs.
        title: Shown by the progress bar.

    Returns:
        What was measured, also written to `history.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    set_seed(settings.seed)
    with closing(_Run(recipe, settings, folder, title)) as run:
        while not run.over():
            run.epoch()
    best = folder / BEST
    if recipe.score and best.is_file():
        recipe.model.load_state_dict(torch.load(best, weights_only=True))
    recipe.model.eval()
    history = run.state.history
    (folder / "history.json").write_text(json.dumps(vars(history), indent=1))
    return history


class _Run:
    """A run from its first step to its last, in one process or in several after one another."""

    def __init__(self, recipe: Recipe, settings: LoopSettings, folder: Path, title: str) -> None:
        self._recipe, self._settings, self._folder, self._title = recipe, settings, folder, title
        # accelerate leaves its types open.
        accelerator: Any = Accelerator(
            mixed_precision="bf16" if settings.mixed_precision and has_bfloat16() else "no",
            log_with=list(settings.trackers) or None,
            project_dir=str(folder),
        )
        self._accelerator = accelerator
        total = sum(len(recipe.batches(epoch)) for epoch in range(settings.epochs))
        self._total = min(total, settings.max_steps) if settings.max_steps else total
        optimizer = torch.optim.AdamW(
            _groups(recipe, settings),
            lr=settings.learning_rate,
            betas=(0.9, 0.98),
            eps=1e-6,
            fused=True,  # one pass over the weights: a tenth of a step of a small model
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: _schedule(step, self._total, settings.warmup_share)
        )
        prepared: tuple[Any, Any, Any] = accelerator.prepare(recipe.model, optimizer, scheduler)
        self._model, self._optimizer, self._scheduler = prepared
        self._averaged: Any = None
        if settings.average_decay:
            self._averaged = AveragedModel(
                accelerator.unwrap_model(self._model),
                multi_avg_fn=cast("Any", get_ema_multi_avg_fn(settings.average_decay)),
                use_buffers=True,
            )
            accelerator.register_for_checkpointing(self._averaged)
        accelerator.init_trackers("logs")
        self.state = Progress(folder, accelerator)
        self.state.load()
        self._started = time.monotonic() - self.state.history.seconds
        self._saved = time.monotonic()
        self._bar: Any = tqdm(
            total=self._total,
            initial=self.state.step,
            desc=title,
            unit="step",
            dynamic_ncols=True,
            mininterval=2,
        )

    def over(self) -> bool:
        """Whether every epoch was gone through, or the last ones brought nothing better."""
        state, patience = self.state, self._settings.patience
        if state.epoch >= self._settings.epochs or state.step >= self._total:
            return True
        waited = state.epoch - 1 - state.history.best_epoch
        return bool(self._recipe.score and state.epoch and 0 < patience <= waited)

    def epoch(self) -> None:
        """Goes through what is left of an epoch, and judges it."""
        state = self.state
        self._model.train()
        batches = self._recipe.batches(state.epoch)
        for at in range(state.batch, len(batches)):
            if state.step >= self._total:
                break
            self._step(batches[at])
            state.batch = at + 1
            if time.monotonic() - self._saved > self._settings.checkpoint_seconds:
                self._save()
        self._judge()
        state.epoch, state.batch = state.epoch + 1, 0
        self._save()

    def close(self) -> None:
        """Lets go of the progress bar and the trackers."""
        self._bar.close()
        self._accelerator.end_training()
        # It holds the precision for the whole process, and the next run may want another.
        AcceleratorState._reset_state()  # pyright: ignore[reportPrivateUsage] # there is no other way

    def _step(self, rows: Any) -> None:
        accelerator, state = self._accelerator, self.state
        batch = _to_device(self._recipe.collate(rows, state.step), accelerator.device)
        with accelerator.autocast():
            losses = self._recipe.loss(self._model, batch)
        loss = torch.stack(list(losses.values())).sum()
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(self._model.parameters(), self._settings.clip_norm)
        self._optimizer.step()
        if self._recipe.after_backward:
            self._recipe.after_backward(state.step)
        if self._averaged is not None:
            self._averaged.update_parameters(accelerator.unwrap_model(self._model))
        self._scheduler.step()
        self._optimizer.zero_grad()
        state.step += 1
        self._bar.update(1)
        if state.step % LOG_STEPS == 0:
            shown = loss.item()
            state.history.steps.append((state.step, shown))
            self._bar.set_postfix(loss=f"{shown:.3f}")
            named = {f"train/{name}": value.item() for name, value in losses.items()}
            accelerator.log({"train/loss": shown, **named}, step=state.step)

    def _judge(self) -> None:
        state, score = self.state, self._recipe.score
        judged: Any = self._accelerator.unwrap_model(self._model)
        if self._averaged is not None:
            judged = self._averaged.module
        judged.eval()
        with torch.no_grad(), self._accelerator.autocast():
            figures = dict(self._recipe.evaluate(judged))
        state.history.epochs.append({**figures, "epoch": state.epoch, "step": state.step})
        self._accelerator.log(
            {f"dev/{name}": value for name, value in figures.items()}, step=state.step
        )
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        tqdm.write(f"{self._title}: epoch {state.epoch + 1}/{self._settings.epochs}: {shown}")
        if score and state.is_best(score):
            state.history.best_epoch = state.epoch
            torch.save(judged.state_dict(), self._folder / BEST)

    def _save(self) -> None:
        self.state.history.seconds = time.monotonic() - self._started
        self.state.save()
        self._saved = time.monotonic()


def _groups(recipe: Recipe, settings: LoopSettings) -> list[dict[str, Any]]:
    """Parameters by weight decay and by factor on the rate."""
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in recipe.model.named_parameters():
        if not parameter.requires_grad:
            continue
        # Gains and offsets are not to be drawn towards zero.
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        factors = [factor for prefix, factor in recipe.rates.items() if name.startswith(prefix)]
        groups.setdefault((decay, factors[0] if factors else 1.0), []).append(parameter)
    return [
        {"params": parameters, "weight_decay": decay, "lr": settings.learning_rate * factor}
        for (decay, factor), parameters in groups.items()
    ]


def _to_device(batch: Batch, device: Any) -> dict[str, Any]:
    moved: dict[str, Any] = {}
    for name, value in batch.items():
        if isinstance(value, torch.Tensor):
            moved[name] = value.to(device)
        elif isinstance(value, Mapping):
            moved[name] = _to_device(cast("Batch", value), device)
        else:
            moved[name] = value
    return moved


def _schedule(step: int, total: int, warmup_share: float) -> float:
    """Factor on the learning rate: linear growth, then linear decay to nothing."""
    warmup = max(1, round(warmup_share * total))
    return min((step + 1) / warmup, max(0.0, (total - step) / max(1, total - warmup)))


def has_bfloat16() -> bool:
    """Whether this machine multiplies in bfloat16 faster than in float32."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_avx512_bf16_supported()  # pyright: ignore[reportPrivateUsage] # no other way
