"""Temperatures of class heads, so that a confidence of 0.9 is right nine times in ten.

One number a head divides the logits (Guo et al., 2017); the chosen class stays as it is.
`python -m services.nlu.train.calibrate FOLDER TASK...` fits them on dev, into labels.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from services.nlu.learnt.tokens import ModelTokenizer
from services.nlu.train.evaluate import outputs_of
from services.nlu.train.examples import TaskData, TaskKind
from services.nlu.train.storage import load_model
from services.nlu.train.tasks import load_task

# scipy leaves its types open.
_log_softmax = cast("Any", scipy.special).log_softmax
_minimize = cast("Any", scipy.optimize).minimize_scalar

RANGE = (0.05, 20.0)
BINS = 15


def fit_temperature(logits: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    """Returns the temperature of the least negative log likelihood.

    Args:
        logits: (texts, classes).
        classes: (texts,), the right ones.
    """
    rows = np.arange(len(classes))

    def loss(exponent: float) -> float:
        scaled = logits.astype(np.float64) / np.exp(exponent)
        return -float(_log_softmax(scaled, axis=1)[rows, classes].mean())

    found = _minimize(loss, bounds=tuple(np.log(RANGE)), method="bounded")
    return float(np.exp(found.x))


def calibration_error(
    logits: NDArray[np.float32], classes: NDArray[np.int64], temperature: float
) -> float:
    """Returns the expected calibration error over equally wide bins of confidence, 0 to 1."""
    shares = np.exp(_log_softmax(logits.astype(np.float64) / temperature, axis=1))
    sure, right = shares.max(axis=1), shares.argmax(axis=1) == classes
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        abs(right[bins == at].mean() - sure[bins == at].mean()) * (bins == at).mean()
        for at in range(BINS)
        if (bins == at).any()
    ]
    return float(sum(gaps))


def calibrate(folder: Path, tasks: Sequence[TaskData]) -> dict[str, dict[str, float]]:
    """Fits every class head of a model on dev and writes the temperatures to its labels.json.

    Returns:
        Per head the temperature, and the calibration error before (temperature 1) and after.
    """
    model = load_model(folder)
    spec = model.spec
    tokenizer = ModelTokenizer(
        folder / "tokenizer.json", spec.max_tokens, word_places=spec.word_places
    )
    described = json.loads((folder / "labels.json").read_text(encoding="utf-8"))
    found: dict[str, dict[str, float]] = {}
    for task in tasks:
        if task.kind is not TaskKind.CLASSES:
            continue
        rows = tokenizer.encode([item.text for item in task.dev])
        logits = np.stack(outputs_of(model, rows, (task.head,))[task.head])
        classes = np.asarray([task.labels.index(item.label) for item in task.dev])
        temperature = round(fit_temperature(logits, classes), 3)
        described[task.head]["temperature"] = temperature
        found[task.head] = {
            "temperature": temperature,
            "error_before": round(calibration_error(logits, classes, 1.0), 4),
            "error_after": round(calibration_error(logits, classes, temperature), 4),
        }
    text = json.dumps(described, ensure_ascii=False, indent=1)
    (folder / "labels.json").write_text(text, encoding="utf-8")
    return found


def main() -> int:
    """Calibrates the folder named on the command line; prints what was found."""
    parser = argparse.ArgumentParser(prog="services.nlu.train.calibrate", description=__doc__)
    parser.add_argument("folder", type=Path, help="of a model")
    parser.add_argument("tasks", nargs="+", help="by the names of services/nlu/train/tasks.py")
    data = Path(os.environ.get("WHEREFORE_DATA", Path(__file__).parents[4] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    given = parser.parse_args()
    found = calibrate(given.folder, [load_task(name, given.data) for name in given.tasks])
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
