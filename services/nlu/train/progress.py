"""How far a training has come: what it measured, and the checkpoint it is taken up from."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKPOINT, PROGRESS = "checkpoint", "progress.json"


@dataclass
class History:
    """What a run measured: one record an epoch, and the loss along the steps."""

    epochs: list[dict[str, float]] = field(default_factory=lambda: [])
    steps: list[tuple[int, float]] = field(default_factory=lambda: [])
    best_epoch: int = -1
    seconds: float = 0.0


def is_begun(folder: Path) -> bool:
    """Whether a run stands in a folder, so that `train` takes it up with the weights it had."""
    return (folder / CHECKPOINT / PROGRESS).is_file()


class Progress:
    """Where a run stands, on disk in a folder that is replaced whole.

    Args:
        folder: Of the run.
        accelerator: Of accelerate, which keeps the weights and what the optimiser knows.

    Attributes:
        step: Of the whole run.
        epoch: That is under way.
        batch: Of the epoch, that comes next.
        history: What was measured.
    """

    def __init__(self, folder: Path, accelerator: Any) -> None:
        self.step = self.epoch = self.batch = 0
        self.history = History()
        self._folder = folder / CHECKPOINT
        self._accelerator = accelerator

    def load(self) -> None:
        """Takes up what the folder holds, if it holds anything."""
        path = self._folder / PROGRESS
        if not path.is_file():
            return
        self._accelerator.load_state(str(self._folder))
        saved = json.loads(path.read_text())
        self.step, self.epoch, self.batch = saved["step"], saved["epoch"], saved["batch"]
        self.history = History(**saved["history"])

    def save(self) -> None:
        """Writes it, from the main process alone."""
        if not self._accelerator.is_main_process:
            return
        part = self._folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        self._accelerator.save_state(str(part))
        (part / PROGRESS).write_text(
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
        """Whether the last epoch's figure of that name is the best so far."""
        values = [record[score] for record in self.history.epochs]
        return values[-1] >= max(values)
