"""Where a run stands after a round, so that one that was stopped goes on from there."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.durable_file import write_durably
from shared.federated.errors import FederatedError
from shared.federated.models import Weights
from shared.numpy_file import UNREADABLE, open_arrays

CHECKPOINT: Final = "checkpoint.npz"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Weights, and how many rounds made them."""

    rounds: int
    weights: Weights


def save(folder: Path, checkpoint: Checkpoint, about: Mapping[str, Any]) -> None:
    """Writes it whole or not at all.

    Args:
        folder: Made when absent.
        checkpoint: What to keep.
        about: What the run is of, by which `load` knows it again.
    """
    held = io.BytesIO()
    arrays: dict[str, Any] = {f"w{at}": each for at, each in enumerate(checkpoint.weights)}
    np.savez(held, rounds=checkpoint.rounds, about=_text(about), **arrays)
    write_durably(folder / CHECKPOINT, held.getvalue())


def load(folder: Path, about: Mapping[str, Any]) -> Checkpoint | None:
    """Returns what `save` wrote; None where it wrote nothing.

    Raises:
        FederatedError: It is of another run, or no checkpoint.
    """
    path = folder / CHECKPOINT
    if not path.is_file():
        return None
    try:
        with open_arrays(path) as file:
            same = str(file["about"]) == _text(about)
            weights = [file[f"w{at}"] for at in range(len(file.files) - 2)]
            rounds = int(file["rounds"])
    except UNREADABLE as error:
        raise FederatedError(f"{path} is no checkpoint; remove it: {error}") from error
    if not same:
        raise FederatedError(
            f"{path} is of another run (other settings, shops or task): give the same ones, or "
            "remove it"
        )
    return Checkpoint(rounds, weights)


def _text(about: Mapping[str, Any]) -> str:
    return json.dumps(about, sort_keys=True)
