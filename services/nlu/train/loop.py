"""The one training loop: every recipe hands it a model, batches, a loss and an evaluation.

AdamW with warm-up and linear decay, early stopping on dev, checkpoints that a run is taken up from,
mixed precision where the device has it, several devices by `accelerate`, TensorBoard.
"""

import json
import random
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from pydantic import BaseModel, Field
from tqdm import tqdm

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
    max_steps: int = Field(default=0, ge=0)
    """Stops after so many steps, for trials; 0 goes through all epochs."""


@dataclass
class History:
    """What a run measured: one record an epoch, and the loss along the steps."""

    epochs: list[dict[str, float]] = field(default_factory=lambda: [])
    steps: list[tuple[int, float]] = field(default_factory=lambda: [])
    best_epoch: int = -1
    seconds: float = 0.0


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
    precision = "bf16" if settings.mixed_precision and _has_bfloat16() else "no"
    accelerator = Accelerator(
        mixed_precision=precision,
        log_with=list(settings.trackers) or None,
        project_dir=str(folder),
    )
    folder.mkdir(parents=True, exist_ok=True)
    set_seed(settings.seed)
    per_epoch = [len(recipe.batches(epoch)) for epoch in range(settings.epochs)]
    total = sum(per_epoch)
    if settings.max_steps:
        total = min(total, settings.max_steps)
    optimizer = torch.optim.AdamW(
        _groups(recipe, settings), lr=settings.learning_rate, betas=(0.9, 0.98), eps=1e-6
    )
    warmup = max(1, round(settings.warmup_share * total))
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warmup, max(0.0, (total - step) / max(1, total - warmup))),
    )
    model, optimizer, scheduler = accelerator.prepare(recipe.model, optimizer, scheduler)
    accelerator.init_trackers("logs")
    state = _State(folder, accelerator)
    state.load()
    started = time.monotonic() - state.history.seconds
    last_saved = time.monotonic()
    bar = tqdm(
        total=total, initial=state.step, desc=title, unit="step", dynamic_ncols=True, mininterval=2
    )
    for epoch in range(state.epoch, settings.epochs):
        model.train()
        batches = recipe.batches(epoch)
        for at in range(state.batch, len(batches)):
            if state.step >= total:
                break
            batch = _to_device(recipe.collate(batches[at], state.step), accelerator.device)
            with accelerator.autocast():
                losses = recipe.loss(model, batch)
            loss = torch.stack(list(losses.values())).sum()
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), settings.clip_norm)
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()
            state.step, state.batch = state.step + 1, at + 1
            bar.update(1)
            if state.step % 20 == 0:
                state.history.steps.append((state.step, loss.item()))
                bar.set_postfix(loss=f"{loss.item():.3f}")
                accelerator.log({"train/loss": loss.item()}, step=state.step)
                for name, value in losses.items():
                    accelerator.log({f"train/{name}": value.item()}, step=state.step)
            if time.monotonic() - last_saved > settings.checkpoint_seconds:
                state.history.seconds = time.monotonic() - started
                state.save()
                last_saved = time.monotonic()
        model.eval()
        with torch.no_grad():
            figures = dict(recipe.evaluate(accelerator.unwrap_model(model)))
        state.history.seconds = time.monotonic() - started
        state.history.epochs.append({**figures, "epoch": epoch, "step": state.step})
        accelerator.log({f"dev/{name}": value for name, value in figures.items()}, step=state.step)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
        tqdm.write(f"{title}: epoch {epoch + 1}/{settings.epochs}: {shown}")
        if recipe.score and state.is_best(recipe.score):
            state.history.best_epoch = epoch
            torch.save(accelerator.unwrap_model(model).state_dict(), folder / "best.pt")
        state.epoch, state.batch = epoch + 1, 0
        state.save()
        last_saved = time.monotonic()
        waited = epoch - state.history.best_epoch
        if state.step >= total or (recipe.score and 0 < settings.patience <= waited):
            break
    bar.close()
    accelerator.end_training()
    if recipe.score and (folder / "best.pt").is_file():
        recipe.model.load_state_dict(torch.load(folder / "best.pt", weights_only=True))
    recipe.model.eval()
    (folder / "history.json").write_text(json.dumps(vars(state.history), indent=1))
    return state.history


class _State:
    """Where a run stands, on disk in a folder that is replaced whole."""

    def __init__(self, folder: Path, accelerator: Any) -> None:
        self.step = self.epoch = self.batch = 0
        self.history = History()
        self._folder = folder / "checkpoint"
        self._accelerator = accelerator

    def load(self) -> None:
        path = self._folder / "progress.json"
        if not path.is_file():
            return
        self._accelerator.load_state(str(self._folder))
        saved = json.loads(path.read_text())
        self.step, self.epoch, self.batch = saved["step"], saved["epoch"], saved["batch"]
        self.history = History(**saved["history"])

    def save(self) -> None:
        if not self._accelerator.is_main_process:
            return
        part = self._folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        self._accelerator.save_state(str(part))
        (part / "progress.json").write_text(
            json.dumps(
                {
                    "step": self.step,
                    "epoch": self.epoch,
                    "batch": self.batch,
                    "history": vars(self.history),
                }
            )
        )
        shutil.rmtree(self._folder, ignore_errors=True)
        part.replace(self._folder)

    def is_best(self, score: str) -> bool:
        values = [record[score] for record in self.history.epochs]
        return values[-1] >= max(values)


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


def _to_device(batch: Batch, device: Any) -> Batch:
    return {
        name: value.to(device) if isinstance(value, torch.Tensor) else value
        for name, value in batch.items()
    }


def _has_bfloat16() -> bool:
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    return torch.cpu._is_avx512_bf16_supported()
