"""The command line of what fills the linear tables of a trained model and measures them on dev."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from services.nlu.learnt.tokens import ModelTokenizer
from services.nlu.train.examples import TaskData
from services.nlu.train.model import QueryModel
from services.nlu.train.storage import load_model, save_model
from services.nlu.train.tasks import load_task

REPOSITORY = Path(__file__).resolve().parents[3]

AMOUNTS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)
"""Of a table that are tried beside the encoder's own logits."""

Fill = Callable[
    [QueryModel, ModelTokenizer, Mapping[str, TaskData]], Mapping[str, Mapping[float, float]]
]
"""Model, its tokenizer and the tasks by name -> task -> amount -> dev figure; changes the model."""


def table_parser(
    prog: str, description: str | None, tasks: Sequence[str]
) -> argparse.ArgumentParser:
    """Returns a parser of the options that every such command has.

    Args:
        prog: Name of the command.
        description: Shown by --help.
        tasks: Filled unless others are named.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("model", type=Path, help="folder of the model")
    data = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    parser.add_argument("--tasks", nargs="+", default=list(tasks))
    parser.add_argument("--out", type=Path, help="folder for the model with tables added")
    return parser


def fill_tables(given: argparse.Namespace, fill: Fill) -> int:
    """Fills the tables of the model that was named; prints the figures as JSON.

    Args:
        given: Of a `table_parser`.
        fill: Fits the tables and adds them to the model.
    """
    model = load_model(given.model)
    path = given.model / "tokenizer.json"
    tokenizer = ModelTokenizer(path, model.spec.max_tokens, word_places=model.spec.word_places)
    figures = fill(model, tokenizer, {name: load_task(name, given.data) for name in given.tasks})
    if given.out:
        save_model(model, given.out, path)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0
