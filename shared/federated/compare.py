"""`python -m shared.federated.compare`, in Flower's environment: compares over prepared trials."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pydantic import ValidationError

from shared.federated.comparison import Plan, compare, rounds_of
from shared.federated.errors import FederatedError
from shared.federated.progress import rounds_bar
from shared.federated.trial import Trial
from shared.model_faults import told

_USAGE = 2


def main() -> int:
    """Compares trial by trial, and writes all outcomes as JSON."""
    parser = argparse.ArgumentParser(prog="compare", description=__doc__)
    parser.add_argument("trials", type=Path, nargs="+", help="folders of `Trial.save`")
    parser.add_argument("--plan", required=True, help="`Plan` as JSON")
    parser.add_argument("--out", type=Path, required=True, help="file for the outcomes")
    parser.add_argument("--keep", type=Path, help="folder of checkpoints to go on from")
    asked = parser.parse_args()
    try:
        plan = Plan.model_validate_json(asked.plan)
    except ValidationError as error:
        sys.stderr.write(f"{told(error)}\n")
        return _USAGE
    try:
        trials = [Trial.load(folder) for folder in asked.trials]
        found: list[dict[str, object]] = []
        with rounds_bar(rounds_of(plan) * len(trials)) as advance:
            for folder, trial in zip(asked.trials, trials, strict=True):
                keep = asked.keep / folder.name if asked.keep else None
                outcomes = compare(trial, plan, folder=keep, on_round=advance)
                found.append(
                    {
                        "trial": folder.name,
                        "figure": trial.figure,
                        "training_examples": len(trial.train),
                        "test_examples": len(trial.test),
                        "outcomes": [each.as_json() for each in outcomes],
                    }
                )
    except FederatedError as error:
        sys.stderr.write(f"{error}\n")
        return _USAGE
    asked.out.write_text(json.dumps(found) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
