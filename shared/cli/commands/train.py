"""`wherefore train`: fine-tunes the models that read queries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from shared.cli import failures

app = App(name="train", help="Train the suite's models.")


@app.command
def nlu(
    *,
    config: Annotated[
        str, Parameter(help="The recipe: a TOML file, or the name of one that comes along.")
    ],
    data: Annotated[
        Path | None,
        Parameter(help="Folder of the data sets; WHEREFORE_DATA or ../shared/data when absent."),
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(help="Folder of the runs; .wherefore/train of the checkout when absent."),
    ] = None,
    labels: Annotated[
        Path | None,
        Parameter(help="Labels from `wherefore label export`, learnt beside the data sets."),
    ] = None,
) -> int:
    """Train a model that reads queries, by a recipe.

    Needs the extra `train`. A run that was stopped goes on where it was when the
    same command is given again. Curves and figures lie in the run's folder.

    For example:

        wherefore train nlu --config query_zh

        wherefore train nlu --config my-recipe.toml --data sets --out runs
    """
    from shared.cli.training import run_training

    recipe = Path(config)
    if recipe.suffix and not recipe.is_file():
        raise failures.CommandError(f"no recipe {config}", code=failures.USAGE)
    arguments = [str(recipe.resolve()) if recipe.suffix else config]
    for option, value in (("--data", data), ("--out", out), ("--labels", labels)):
        if value is not None:
            arguments += [option, str(value.resolve())]
    try:
        return run_training("services.nlu.train", arguments)
    except KeyboardInterrupt:
        failures.say("stopped; the same command goes on from the last checkpoint")
        raise
