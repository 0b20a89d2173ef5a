"""Runs one recipe: a TOML file that names the kind of training and its settings."""

import json
import resource
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

RECIPES = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe that cannot be run; the text says what to do."""


def run_recipe(path: Path, *, data: Path, out: Path) -> Path:
    """Runs a recipe, or takes it up where it stopped.

    Args:
        path: The TOML file; a bare name is looked up among the recipes of this package.
        data: Folder of the data sets.
        out: Folder of all runs; this one's is named like the recipe.

    Returns:
        Folder of the run.

    Raises:
        RecipeError: The recipe is not there, is no TOML, or has a wrong value.
    """
    if not path.suffix:
        path = RECIPES / f"{path}.toml"
    settings = read_recipe(path)
    kind = settings.pop("kind", "")
    if kind not in _KINDS:
        raise RecipeError(f"{path}: kind is {kind!r}; it is one of {', '.join(_KINDS)}")
    folder = out / path.stem
    try:
        _KINDS[kind](settings, data, folder)
    except ValidationError as error:
        raise RecipeError(f"{path}: {error}") from error
    return folder


def read_recipe(path: Path) -> dict[str, Any]:
    """Returns the settings of a recipe; where it `extends` another, what it leaves out is that one's.

    Raises:
        RecipeError: As for `run_recipe`.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(sorted(recipe.stem for recipe in RECIPES.glob("*.toml")))
        raise RecipeError(f"no recipe {path}; there are {known}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: {error}") from error
    base = settings.pop("extends", "")
    if not base:
        return settings
    merged = read_recipe(path.parent / f"{base}.toml")
    # A recipe's tasks replace those of the one it extends: a task that is left out is not wanted.
    loop = {**merged.get("loop", {}), **settings.get("loop", {})}
    return {**merged, **settings, "loop": loop}


def _pretrain(settings: dict[str, Any], data: Path, folder: Path) -> None:
    from services.nlu.train.pretrain import PretrainSettings, pretrain

    pretrain(PretrainSettings.model_validate(settings), data, folder)


def _multitask(settings: dict[str, Any], data: Path, folder: Path) -> None:
    from services.nlu.train.multitask import MultitaskSettings, train_multitask
    from services.nlu.train.storage import save_model

    trained = train_multitask(MultitaskSettings.model_validate(settings), data, folder)
    save_model(trained.model, folder / "model", trained.tokenizer.path)
    results = {
        "figures": trained.figures,
        "seconds": trained.history.seconds,
        "trainable_parameters": sum(
            item.numel() for item in trained.model.parameters() if item.requires_grad
        ),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "best_epoch": trained.history.best_epoch,
        "settings": settings,
    }
    (folder / "results.json").write_text(json.dumps(results, ensure_ascii=False, indent=1))


_KINDS: dict[str, Callable[[dict[str, Any], Path, Path], None]] = {
    "pretrain": _pretrain,
    "multitask": _multitask,
}
