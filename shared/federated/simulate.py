"""`python -m shared.federated.simulate`, in Flower's environment: one run over shops' files.

All shops are on this machine. Where each keeps its own, `flower-supernode` takes its place.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.federated.errors import FederatedError
from shared.federated.flower.client import read_shop
from shared.federated.flower.in_process import train_in_process
from shared.federated.models import Task
from shared.federated.privacy import noise_for
from shared.federated.progress import rounds_bar
from shared.federated.result import delta_for, write_result
from shared.federated.settings import RunSettings
from shared.model_faults import told

_USAGE = 2


def main() -> int:
    """Trains, and writes the model and its card."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("shops", type=Path, nargs="+", help="files of rows")
    parser.add_argument("--task", type=Path, required=True)
    parser.add_argument("--settings", required=True, help="`RunSettings` as JSON")
    parser.add_argument("--epsilon", type=float, help="chooses the noise")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    try:
        settings = RunSettings.model_validate_json(asked.settings)
        if asked.epsilon is not None:
            noise = noise_for(
                wanted=asked.epsilon,
                sample_rate=settings.sample_rate,
                rounds=settings.rounds,
                delta=delta_for(len(asked.shops)),
            )
            settings = RunSettings.model_validate({**settings.model_dump(), "noise": noise})
        card = _train(asked.shops, Task.load(asked.task), settings, asked.task, asked.out)
    except ValidationError as error:
        sys.stderr.write(f"{told(error)}\n")
        return _USAGE
    except FederatedError as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    if asked.json:
        sys.stdout.write(json.dumps(card, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stderr.write(f"{card['model']}: {card['shops']} shops, {settings.rounds} rounds\n")
        if (spent := card["privacy"]) is not None:
            sys.stderr.write(f"epsilon {spent['epsilon']:.2f} at delta {spent['delta']:.1e}\n")
    return 0


def _train(
    shops: Sequence[Path], task: Task, settings: RunSettings, task_file: Path, out: Path
) -> dict[str, Any]:
    for path in shops:
        read_shop(path, task_file)
    model = task.model()
    with rounds_bar(settings.rounds) as advance:
        weights = train_in_process(
            model,
            lambda number: read_shop(shops[number], task_file),
            len(shops),
            settings,
            folder=out,
            about={"task": task.model_dump(mode="json"), "shops": [each.name for each in shops]},
            on_round=advance,
        )
    return write_result(out, task, weights, settings, len(shops))


if __name__ == "__main__":
    sys.exit(main())
