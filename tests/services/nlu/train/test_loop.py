import json

import pytest
import torch

from services.nlu.train.loop import LoopSettings, Recipe, train


class InterruptedRunError(Exception):
    pass


def regression(*, fail_at: int = -1, score: str = "") -> Recipe:
    """A line to be found, with batches that depend on the epoch and the step alone."""
    torch.manual_seed(3)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))

    def collate(batch: int, step: int) -> dict[str, torch.Tensor]:
        if step == fail_at:
            raise InterruptedRunError
        x = torch.randn(16, 4, generator=torch.Generator().manual_seed(batch))
        return {"x": x, "y": x.sum(1, keepdim=True)}

    def loss(model, batch):
        return {"mse": torch.nn.functional.mse_loss(model(batch["x"]), batch["y"])}

    def evaluate(model):
        batch = collate(999, -2)
        return {"error": float(loss(model, batch)["mse"]), "fit": -float(loss(model, batch)["mse"])}

    def batches(epoch: int) -> list[int]:
        return [epoch * 10 + at for at in range(10)]

    return Recipe(model, batches, collate, loss, evaluate, score)


SETTINGS = LoopSettings(
    epochs=3, learning_rate=0.02, trackers=(), mixed_precision=False, checkpoint_seconds=1e-6
)


def test_it_learns_and_writes_down_how(tmp_path):
    recipe = regression()
    history = train(recipe, SETTINGS.model_copy(update={"epochs": 8}), tmp_path, title="line")
    assert history.epochs[-1]["error"] < history.epochs[0]["error"] / 2
    written = json.loads((tmp_path / "history.json").read_text())
    assert [record["epoch"] for record in written["epochs"]] == list(range(8))
    assert written["steps"][0][0] == 20


@pytest.mark.parametrize("fail_at", [4, 17, 25])
def test_a_run_that_was_cut_off_ends_as_if_it_had_not_been(tmp_path, fail_at):
    whole = regression()
    train(whole, SETTINGS, tmp_path / "whole", title="whole")
    with pytest.raises(InterruptedRunError):
        train(regression(fail_at=fail_at), SETTINGS, tmp_path / "cut", title="cut")
    cut = regression()
    history = train(cut, SETTINGS, tmp_path / "cut", title="cut")
    assert len(history.epochs) == 3
    for ours, theirs in zip(cut.model.parameters(), whole.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_average_of_the_weights_is_taken_up_too(tmp_path):
    settings = SETTINGS.model_copy(update={"average_decay": 0.9})
    whole = train(regression(score="fit"), settings, tmp_path / "whole", title="whole")
    with pytest.raises(InterruptedRunError):
        train(regression(fail_at=15, score="fit"), settings, tmp_path / "cut", title="cut")
    cut = train(regression(score="fit"), settings, tmp_path / "cut", title="cut")
    for ours, theirs in zip(cut.epochs, whole.epochs, strict=True):
        assert ours == pytest.approx(theirs)


def test_the_best_epoch_is_kept_and_waiting_ends(tmp_path):
    recipe = regression(score="fit")
    figures = iter([1.0, 3.0, 2.0, 2.5, 9.0])
    kept: list[dict[str, torch.Tensor]] = []

    def evaluate(model):
        kept.append({name: value.clone() for name, value in model.state_dict().items()})
        return {"fit": next(figures)}

    recipe = Recipe(recipe.model, recipe.batches, recipe.collate, recipe.loss, evaluate, "fit")
    settings = SETTINGS.model_copy(update={"epochs": 5, "patience": 2})
    history = train(recipe, settings, tmp_path, title="early")
    assert (history.best_epoch, len(history.epochs)) == (1, 4)
    for name, value in recipe.model.state_dict().items():
        torch.testing.assert_close(value, kept[1][name])


def test_tensorboard_gets_the_curves(tmp_path):
    settings = SETTINGS.model_copy(update={"trackers": ("tensorboard",), "epochs": 2})
    train(regression(), settings, tmp_path, title="curves")
    assert list(tmp_path.glob("logs/events.out.tfevents.*"))


def test_frozen_parameters_stay(tmp_path):
    recipe = regression()
    first = recipe.model[0]
    first.requires_grad_(False)
    before = first.weight.clone()
    train(recipe, SETTINGS, tmp_path, title="frozen")
    torch.testing.assert_close(first.weight, before)
