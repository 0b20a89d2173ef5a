"""What a run leaves: the weights, and how they came about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.federated.models import Task, Weights
from shared.federated.privacy import ACCOUNTANT, epsilon
from shared.federated.settings import RunSettings

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
