"""`python -m services.nlu.train RECIPE`: trains by a recipe."""

import argparse
import os
import sys
from pathlib import Path

from services.nlu.train.run import RecipeError, run_recipe

REPOSITORY = Path(__file__).resolve().parents[3]


def main() -> int:
    """Runs the recipe named on the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="services.nlu.train", description=__doc__)
    parser.add_argument("recipe", type=Path, help="a TOML file, or the name of a recipe")
    data = Path(os.environ.get("WHEREFORE_DATA", REPOSITORY.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    out = REPOSITORY / ".wherefore" / "train"
    parser.add_argument("--out", type=Path, default=out, help="folder of the runs")
    parser.add_argument("--labels", type=Path, help="from `wherefore label export`")
    given = parser.parse_args()
    # Read by the libraries as they are imported: models come from packages and folders alone.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        run_recipe(given.recipe, data=given.data, out=given.out, labels=given.labels)
    except (RecipeError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
