import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("accelerate", reason="the extra `train` is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from services.nlu.train.curves import dev_curves, plot_curves, smoothed
from services.nlu.train.progress import History


def test_smoothing_keeps_a_level_and_damps_a_jump():
    assert smoothed([2.0, 2.0, 2.0]) == pytest.approx([2.0] * 3)
    jumped = smoothed([0.0] * 10 + [1.0])
    assert 0.0 < jumped[-1] < 0.3
    assert smoothed([]) == []


def test_dev_figures_are_drawn_over_the_steps():
    epochs = [{"f1": 0.1, "epoch": 0, "step": 10}, {"f1": 0.3, "epoch": 1, "step": 20}]
    assert dev_curves(epochs) == {"f1": [(10, 0.1), (20, 0.3)]}
    assert dev_curves([]) == {}


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_a_run_is_drawn_even_before_its_first_epoch(tmp_path, suffix):
    done = History([{"f1": 0.1, "epoch": 0, "step": 10}], [(5, 1.0), (10, 0.5)], 0, 3.0)
    for name, history in (("done", done), ("begun", History())):
        path = tmp_path / "plots" / f"{name}.{suffix}"
        plot_curves(history, path, title=name)
        assert path.stat().st_size > 1_000
