"""`python -m services.insight.train`: the model of opinions, from labelled reviews."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

REPOSITORY = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))

app = App(name="services.insight.train")


@app.default
def train(
    *,
    out: Annotated[Path, Parameter(help="The file.")] = REPOSITORY / "models/opinion/1/opinion.npz",
    data: Annotated[Path, Parameter(help="Folder of the data sets.")] = DATA,
) -> None:
    """Train the model that reads whether texts praise or blame, in about two minutes.

    Needs the extra `train`. Chinese from the training part of `reviews_zh`, English from the rated
    reviews of `luma`; prints figures on parts that were held out while they were taken.

    For example:

        python -m services.insight.train --out opinion.npz
    """
    from services.insight.train.fit import train_model

    print(json.dumps(train_model(data, out), indent=2))


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command line."""
    app(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    main()
