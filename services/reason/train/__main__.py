"""`python -m services.reason.train`: the model of reasons, from corpus to graph."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))
RUNS = REPOSITORY / ".wherefore" / "train"

app = App(
    name="services.reason.train",
    help="""Train the model that writes reasons.

    For example:

        python -m services.reason.train train reason_small

        python -m services.reason.train evaluate reason_small --split test --samples 20

        python -m services.reason.train export reason_small --to models/reason_small/1
    """,
)

RecipeName = Annotated[
    str, Parameter(help="A recipe that comes along (reason_small), or a TOML file.")
]
Data = Annotated[Path, Parameter(help="Folder of the data sets.")]
Out = Annotated[Path | None, Parameter(help="Folder of the run; .wherefore/train/RECIPE if none.")]


def _folder(recipe: str, out: Path | None) -> Path:
    return out if out is not None else RUNS / Path(recipe).stem


@app.command
def train(
    recipe: RecipeName,
    *,
    data: Data = DATA,
    out: Out = None,
    start: Annotated[
        Path | None, Parameter(help="Folder of a run to begin from; new kinds are added to it.")
    ] = None,
) -> None:
    """Train by a recipe; the same command goes on from the last checkpoint.

    Writes the corpus first, where the folder holds none. After each epoch: perplexity on held-out
    products, distinct-1 and -2, the share of claims that the verifier lets stand, and samples.

    For example:

        python -m services.reason.train train reason_small --out runs/small

        python -m services.reason.train train reason_more --out runs/more --start runs/small
    """
    from services.reason.train import run
    from services.reason.train.recipe import read_recipe

    history = run.train(read_recipe(recipe), data, _folder(recipe, out), start)
    sys.stdout.write(json.dumps(history[-1], ensure_ascii=False, indent=1) + "\n")


@app.command
def corpus(recipe: RecipeName, *, data: Data = DATA, out: Out = None) -> None:
    """Write the corpus of a recipe alone, to read it.

    For example:

        python -m services.reason.train corpus reason_small --out runs/small
    """
    from services.reason.train import run
    from services.reason.train.recipe import read_recipe

    folder = run.build_corpus(read_recipe(recipe), data, _folder(recipe, out))
    sys.stdout.write(f"{folder}\n")


@app.command
def evaluate(
    recipe: RecipeName,
    *,
    data: Data = DATA,
    out: Out = None,
    split: Annotated[str, Parameter(help='"dev" or "test".')] = "test",
    scenes: Annotated[int, Parameter(help="Held-out scenes to write on.")] = 400,
    samples: Annotated[int, Parameter(help="Reasons to print.")] = 0,
) -> None:
    """Measure a run's last epoch on products that it never saw.

    For example:

        python -m services.reason.train evaluate reason_small --scenes 1000 --samples 100
    """
    from services.reason.train import run
    from services.reason.train.recipe import read_recipe

    figures, written = run.evaluate(read_recipe(recipe), data, _folder(recipe, out), split, scenes)
    sys.stdout.write(json.dumps(figures, ensure_ascii=False, indent=1) + "\n")
    for one in written[:: max(1, len(written) // samples)] if samples else ():
        sys.stdout.write(f"{one.reason.text if one.reason is not None else '(none)'}\n")


@app.command
def export(
    recipe: RecipeName,
    *,
    to: Annotated[Path, Parameter(help="Folder of the model's version.")],
    out: Out = None,
) -> None:
    """Write a run's last epoch as it is served: weights, tokens, and ONNX graphs with a cache.

    For example:

        python -m services.reason.train export reason_small --to models/reason_small/1
    """
    from services.reason.train.package import package

    package(_folder(recipe, out), to)
    graphs(to)


@app.command
def entry(
    recipe: RecipeName,
    *,
    out: Out = None,
    name: Annotated[
        str | None, Parameter(help="Of the model in Triton; that of the recipe if none.")
    ] = None,
    repository: Annotated[Path, Parameter(help="The model repository.")] = REPOSITORY / "models",
    threads: Annotated[int, Parameter(help="Of a forward pass.")] = 1,
    max_rows: Annotated[int, Parameter(help="Reasons written at once.")] = 64,
) -> None:
    """Write a run's last epoch as an entry of the model repository, ready to be served.

    An adapter is merged into its model. The reason service takes the entry by its name,
    `WHEREFORE_REASON_MODEL=NAME`, in Triton as well as in process.

    For example:

        python -m services.reason.train entry reason_lora

        python -m services.reason.train entry reason_lora --name reason_qwen --threads 4
    """
    from services.reason.train.entry import write_entry

    named = name if name is not None else Path(recipe).stem
    made = write_entry(_folder(recipe, out), named, repository, threads=threads, max_rows=max_rows)
    sys.stdout.write(f"{made}\n")


@app.command
def graphs(
    *folders: Annotated[Path, Parameter(help="Folders of versions; all of models/ when none.")],
) -> None:
    """Make the ONNX graphs of exported weights, where they are missing or out of date.

    For example:

        python -m services.reason.train graphs
    """
    from services.reason.train.served import graphs_are_made

    for folder in folders or tuple(sorted(REPOSITORY.glob("models/reason_*/[0-9]*"))):
        if graphs_are_made(folder):
            sys.stderr.write(f"{folder.parent.name}: up to date\n")
            continue
        from services.reason.train.package import make_graphs

        for precision, gap in make_graphs(folder).items():
            name = folder.parent.name
            sys.stderr.write(f"{name}: {precision}, logits at most {gap:.5f} off torch's\n")


@app.command
def speed(
    *,
    model: Annotated[Path, Parameter(help="Folder that `export` wrote.")],
    data: Data = DATA,
    threads: Annotated[int, Parameter(help="Of ONNX Runtime.")] = 2,
    pages: Annotated[int, Parameter(help="Pages to write.")] = 30,
) -> None:
    """Time pages of ten reasons and the first token, in process.

    For example:

        python -m services.reason.train speed --model models/reason_small/1
    """
    from services.reason.train.speed import measure

    figures = measure(model, data, threads=threads, pages=pages)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line, that of the process when None; returns the exit code."""
    from services.reason.train.recipe import RecipeError

    # Read by the libraries as they are imported: models come from folders unless told otherwise.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        app(list(sys.argv[1:] if arguments is None else arguments))
    except (RecipeError, FileNotFoundError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
