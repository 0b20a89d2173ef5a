"""Makes and measures every smaller form of a model: `python -m services.nlu.train.compress RECIPE`.

Quantised, pruned, distilled; the table, the plot of the frontier and what is to be served come out.
A run that stopped is taken up.
"""

import argparse
import os
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from services.nlu.train.export import REPOSITORY, WEIGHTS
from services.nlu.train.frontier import Step, as_json, as_table, choose, plot
from services.nlu.train.run import RECIPES
from services.nlu.train.smaller_forms import TRAINED, CompressSettings, SmallerForms
from shared.inference.onnx_files import sha256


def compress(
    settings: CompressSettings, source: Path, *, data: Path, out: Path
) -> tuple[list[Step], Step]:
    """Makes every form, measures it, and writes `frontier.json`, `frontier.md` and `frontier.svg`.

    Args:
        settings: The recipe.
        source: Folder of the model.
        data: Folder of the data sets.
        out: Folder of the runs over this model; each set of weights has one.

    Returns:
        The table, and the form that is served.
    """
    # Figures of other weights are no figures of these.
    folder = out / sha256(source / WEIGHTS)[:12]
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    forms = SmallerForms(settings, source, folder, data)
    steps = forms.measured(forms.make())
    examples = {task.head: len(task.dev) for task in forms.tasks}
    best = choose(steps, TRAINED, examples)
    notes: dict[str, Any] = {
        "model": settings.model,
        "weights_sha256": sha256(source / WEIGHTS),
        "dev_examples": examples,
        "taught_texts": len(forms.taught()),
        "threads": settings.threads,
        "settings": settings.model_dump(mode="json"),
    }
    if settings.whole_dev:
        notes["whole_dev"] = {
            name: forms.quality(f"{name} on all of dev", forms.reader(name), forms.whole_tasks)
            for name in (TRAINED, best.name)
        }
    (folder / "frontier.json").write_text(as_json(steps, TRAINED, best.name, notes))
    (folder / "frontier.md").write_text(as_table(steps, TRAINED, best.name) + "\n")
    plot(steps, best.name, folder / "frontier.svg")
    return steps, best


def main(arguments: Sequence[str] | None = None) -> int:
    """Compresses by the recipe named on the command line; prints the table."""
    parser = argparse.ArgumentParser(prog="services.nlu.train.compress", description=__doc__)
    parser.add_argument("recipe", type=Path, help="a TOML file, or the name of a recipe")
    parser.add_argument("--model", type=Path, help="folder of the model, if not the recipe's")
    root = REPOSITORY.parent
    data = Path(os.environ.get("WHEREFORE_DATA", root.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="folder of the data sets")
    parser.add_argument("--out", type=Path, default=root / ".wherefore" / "train")
    given = parser.parse_args(arguments)
    # Read by the libraries as they are imported: models come from packages and folders alone.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    path = given.recipe if given.recipe.suffix else RECIPES / f"{given.recipe}.toml"
    settings = CompressSettings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    out: Path = given.out / path.stem
    source: Path = given.model or REPOSITORY / settings.model
    steps, best = compress(settings, source, data=given.data, out=out)
    sys.stdout.write(as_table(steps, TRAINED, best.name) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
