import json
import struct

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("accelerate", reason="the extra `train` is not installed")
pytest.importorskip("matplotlib", reason="matplotlib is not installed")

from benchmarks import nlu_training


def add_run(folder, name, tasks, figures, *, trained=None, **settings):
    run = folder / name
    run.mkdir(parents=True)
    history = {
        "epochs": [
            {"entities.f1": 0.6, "epoch": 0, "step": 40},
            {"entities.f1": 0.7, "epoch": 1, "step": 80},
        ],
        "steps": [[20, 2.0], [40, 1.0], [60, 0.5]],
        "best_epoch": 1,
        "seconds": 120.0,
    }
    (run / "history.json").write_text(json.dumps(history))
    results = {
        "figures": figures,
        "seconds": 120.0,
        "settings": {"encoder": "e", "tasks": dict(tasks), **settings},
    }
    (run / "results.json").write_text(json.dumps(results))
    if trained:
        header = json.dumps({"a": {"shape": trained}, "__metadata__": {"format": "pt"}}).encode()
        (run / "model").mkdir()
        weights = run / "model" / "weights.safetensors"
        weights.write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.fixture
def folder(tmp_path):
    runs = tmp_path / "runs"
    add_run(runs, "ablation_a", {"entities_zh": {}}, {"entities.f1": 0.70, "score": 0.70})
    add_run(runs, "ablation_b", {"sentiment_zh": {}}, {"sentiment.accuracy": 0.95})
    both = {"entities.f1": 0.72, "sentiment.accuracy": 0.94, "sentiment.macro_f1": 0.5}
    add_run(runs, "ablation_c", {"entities_zh": {}, "sentiment_zh": {}}, both, weighting="equal")
    add_run(runs, "tuning_full", {"entities_en": {}}, {"entities.f1": 0.8}, trained=[1000, 20])
    add_run(
        runs,
        "tuning_lora",
        {"entities_en": {}},
        {"entities.f1": 0.79},
        trained=[8, 20],
        tuning="lora",
    )
    add_run(runs, "query_zh", {"entities_zh": {}}, {"entities.f1": 0.75})
    (runs / "unfinished").mkdir()
    return runs


def test_the_ablation_puts_each_task_alone_beside_all_together(folder):
    runs = nlu_training.chosen(nlu_training.read_runs(folder), "ablation*")
    table = nlu_training.ablation_table(runs)
    assert "| each task alone | together, equal weights |" in table
    assert "| entities.f1 | 0.7000 | 0.7200 (+0.0200) |" in table
    assert "| sentiment.accuracy | 0.9500 | 0.9400 (-0.0100) |" in table
    assert "| minutes of training | 4.0 (2 runs) | 2.0 |" in table
    assert "macro" not in table


def test_one_sort_of_runs_is_no_ablation(folder):
    runs = nlu_training.chosen(nlu_training.read_runs(folder), "ablation_[ab]")
    assert nlu_training.ablation_table(runs) is None


def test_tunings_are_told_with_what_they_train(folder):
    runs = nlu_training.chosen(nlu_training.read_runs(folder), "tuning*")
    table = nlu_training.tuning_table(runs)
    assert "| full | 0.8000 | 20,000 | 2.0 | – |" in table
    assert "| lora | 0.7900 | 160 | 2.0 | – |" in table
    assert nlu_training.tuning_table(runs[:1]) is None


def test_sections_and_curves(folder, tmp_path):
    runs = nlu_training.read_runs(folder)
    assert [run.name for run in runs if run.name == "unfinished"] == []
    made = nlu_training.sections(runs, "ablation*", "tuning*", tmp_path / "plots")
    assert list(made) == ["nlu-ablation", "nlu-tuning", "nlu-curves"]
    assert "plots/curves-query_zh.svg" in made["nlu-curves"]
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["curves-query_zh.svg"]
    assert "encoder `e`" in made["nlu-tuning"]


def test_the_scope_names_limits(folder):
    add_run(folder, "ablation_d", {"entities_zh": {"limit": 500}}, {})
    runs = nlu_training.chosen(nlu_training.read_runs(folder), "ablation_d")
    assert "examples at most entities_zh: 500" in nlu_training.scope(runs)
