"""Runs one recipe: a TOML file that names the kind of training and its settings."""

import hashlib
import json
import resource
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from services.nlu.train.extra_labels import LabelsError

if TYPE_CHECKING:
    from services.nlu.train.progress import History

RECIPES = Path(__file__).parent / "recipes"


class RecipeError(ValueError):
    """A recipe that cannot be run; the text says what to do."""


def run_recipe(path: Path, *, data: Path, out: Path, labels: Path | None = None) -> Path:
    """Runs a recipe, or takes it up where it stopped.

    Args:
        path: The TOML file; a bare name is looked up among the recipes of this package.
        data: Folder of the data sets.
        out: Folder of all runs; this one's is named like the recipe.
        labels: From `wherefore label export`, learnt beside the data sets. Such a run has a folder
            of its own for every state of the file, since a finished run would not be trained again.

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
    if labels is not None:
        if kind != "multitask":
            raise RecipeError(f"{path}: a recipe of {kind} learns from no labels")
        folder = out / f"{path.stem}-{hashlib.sha256(labels.read_bytes()).hexdigest()[:8]}"
        settings["labels"] = str(labels)
    try:
        _KINDS[kind](settings, data, folder)
    except (ValidationError, LabelsError) as error:
        raise RecipeError(f"{path}: {error}") from error
    return folder


def read_recipe(path: Path) -> dict[str, Any]:
    """Returns the settings of a recipe; what it leaves out is that of the one it `extends`.

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

    _draw_curves(pretrain(PretrainSettings.model_validate(settings), data, folder), folder)


def _multitask(settings: dict[str, Any], data: Path, folder: Path) -> None:
    from services.nlu.train.multitask import MultitaskSettings, train_multitask
    from services.nlu.train.storage import save_model

    trained = train_multitask(MultitaskSettings.model_validate(settings), data, folder)
    save_model(trained.model, folder / "model", trained.tokenizer.path)
    _draw_curves(trained.history, folder)
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


def _crossmodal(settings: dict[str, Any], data: Path, folder: Path) -> None:
    from services.nlu.train.crossmodal.fit import CrossmodalSettings, train_crossmodal

    chosen = CrossmodalSettings.model_validate(settings)
    _draw_curves(train_crossmodal(chosen, data, folder), folder)


def _draw_curves(history: "History", folder: Path) -> None:
    from services.nlu.train.curves import plot_curves

    plot_curves(history, folder / "curves.png", title=folder.name)


_KINDS: dict[str, Callable[[dict[str, Any], Path, Path], None]] = {
    "pretrain": _pretrain,
    "multitask": _multitask,
    "crossmodal": _crossmodal,
}
