"""What a run leaves: the weights, and how they came about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.federated.errors import FederatedError
from shared.federated.models import Task, Weights
from shared.federated.privacy import ACCOUNTANT, epsilon
from shared.federated.settings import RunSettings
from shared.model_faults import told
from shared.numpy_file import UNREADABLE, open_arrays

MODEL_FILE: Final = "model.npz"
CARD_FILE: Final = "model.json"


def write_result(
    out: Path, task: Task, weights: Weights, settings: RunSettings, shops: int
) -> dict[str, Any]:
    """Writes `model.npz` (w0, w1 and so on) and `model.json`.

    Args:
        out: Made when absent.
        task: What was trained.
        weights: At the end.
        settings: Of the run.
        shops: How many there were.

    Returns:
        What `model.json` holds; with noise, epsilon and delta.
    """
    out.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, Any] = {f"w{at}": array for at, array in enumerate(weights)}
    with (out / MODEL_FILE).open("wb") as file:
        np.savez_compressed(file, **arrays)
    card: dict[str, Any] = {
        "task": task.model_dump(mode="json"),
        "settings": settings.model_dump(mode="json", exclude={"noise_seed"}),
        "shops": shops,
        "model": str(out / MODEL_FILE),
        "privacy": privacy_of(settings, shops),
    }
    (out / CARD_FILE).write_text(
        json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    return card


class _Privacy(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    epsilon: float
    delta: float
    accountant: str
    unit: str


class _Card(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    task: Task
    settings: RunSettings
    shops: int = Field(ge=1)
    privacy: _Privacy | None


@dataclass(frozen=True, slots=True)
class Result:
    """What `write_result` left, read again."""

    weights: Weights
    card: _Card

    @property
    def task(self) -> Task:
        """What was trained."""
        return self.card.task

    def told(self) -> str:
        """Returns how it came about, as items of a model card."""
        settings, spent = self.card.settings, self.card.privacy
        sums = "secure aggregation" if settings.secure else "plain sums, which showed every update"
        private = (
            f"epsilon {spent.epsilon:.2f} at delta {spent.delta:.1e} ({spent.accountant}; "
            f"{spent.unit})"
            if spent
            else "none"
        )
        return (
            f"- **Made by** federated averaging over {self.card.shops} shops, {settings.rounds} "
            f"rounds with {sums};\n  learning rate {settings.learning_rate:g}, batch "
            f"{settings.batch}, {settings.epochs} pass(es) a round, sample rate "
            f"{settings.sample_rate:g}.\n- **Differential privacy**: {private}."
        )


def read_result(out: Path) -> Result:
    """Reads what a run left.

    Raises:
        FederatedError: It is not there, not whole, or of another task than it says.
    """
    try:
        card = _Card.model_validate_json((out / CARD_FILE).read_bytes())
        wanted = [array.shape for array in card.task.model().initial()]
        with open_arrays(out / MODEL_FILE) as file:
            weights = [file[f"w{at}"] for at in range(len(wanted))]
    except ValidationError as error:
        raise FederatedError(f"{out / CARD_FILE}: {told(error)}") from error
    except UNREADABLE as error:
        raise FederatedError(f"{out} holds no model of federated training: {error}") from error
    if [array.shape for array in weights] != wanted:
        raise FederatedError(f"{out / MODEL_FILE} is not of the task in {CARD_FILE}")
    if not all(np.isfinite(array).all() for array in weights):
        raise FederatedError(f"{out / MODEL_FILE} holds what is no number")
    return Result(weights, card)


def privacy_of(settings: RunSettings, shops: int) -> dict[str, Any] | None:
    """Returns what the run spends, at `delta_for` the shops; None without noise."""
    if not settings.private:
        return None
    delta = delta_for(settings.shops or shops)
    spent = epsilon(
        noise=settings.noise,
        sample_rate=settings.sample_rate,
        rounds=settings.rounds,
        delta=delta,
    )
    return {
        "epsilon": spent,
        "delta": delta,
        "accountant": ACCOUNTANT,
        "unit": "all that a shop holds, added or removed",
    }


def delta_for(shops: int) -> float:
    """Returns a tenth of one over the number of shops: the chance that the guarantee may fail."""
    return 0.1 / shops
