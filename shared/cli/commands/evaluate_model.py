"""`wherefore evaluate`: a model's folder against labelled texts, without any service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from shared.cli import failures
from shared.cli.commands.evaluate_nlu import LabelledFile, TaskName
from shared.cli.options import Json

app = App(name="evaluate", help="Measure a trained model offline; `eval` measures what is served.")


@app.command
def nlu(
    *,
    model: Annotated[
        Path, Parameter(help="Folder of the model, such as models/query_zh/1 or a run's model.")
    ],
    task: Annotated[TaskName, Parameter(help="What is measured.")],
    data: LabelledFile,
    json: Json = False,
) -> int:
    """Measure a trained model that reads queries, offline.

    Needs the extra `train`. Tasks, files and figures are those of `wherefore eval
    nlu`, which asks the running service instead.

    For example:

        wherefore evaluate nlu --model models/query_zh/1 --task entities_zh --data t.jsonl
    """
    from shared.cli.training import run_training

    if not (model / "weights.safetensors").is_file():
        raise failures.CommandError(
            f"{model} holds no weights.safetensors: it is no model's folder", code=failures.USAGE
        )
    arguments = ["--model", str(model), "--task", task, "--data", str(data)]
    return run_training(
        "services.nlu.train.evaluate_folder", [*arguments, *(["--json"] if json else [])]
    )
