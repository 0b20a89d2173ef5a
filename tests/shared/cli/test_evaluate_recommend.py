import json

import pytest

pytest.importorskip("torch", reason="the extra `recommend` is not installed")
pytest.importorskip("implicit", reason="the extra `recommend` is not installed")

from services.recommend import tuning
from shared.cli.app import main
from shared.cli.commands import evaluate_recommend

FIGURES = {"ndcg@10", "hr@10", "coverage@10", "novelty@10"}


@pytest.fixture
def few_settings(monkeypatch):
    for name in ("ITEM_KNN", "ALS", "BPR", "CONTENT"):
        monkeypatch.setattr(tuning, name, {})


@pytest.fixture
def sequences(tmp_path):
    path = tmp_path / "walks.txt"
    walks = [
        f"u{start}-{copy} {' '.join(f'i{(start + step) % 15}' for step in range(6))}\n"
        for start in range(15)
        for copy in range(2)
    ]
    path.write_text("".join(walks) + "new i1 i2\n")
    return str(path)


def run(capsys, *arguments):
    code = main(["eval", "recommend", *arguments])
    return code, *capsys.readouterr()


@pytest.mark.usefixtures("few_settings")
def test_json_is_the_figures_of_every_model_and_nothing_else(capsys, sequences, tmp_path):
    report = tmp_path / "report.json"
    code, out, err = run(
        capsys, "--sequences", sequences, "--minutes", "0.05", "--threads", "1", "--json",
        "--out", str(report),
    )  # fmt: skip
    assert code == 0, err
    document = json.loads(out)
    assert list(document["models"]) == [
        "blend", "sequential", "als", "bpr", "item_knn", "popularity",
    ]  # fmt: skip
    assert all(set(figures) == FIGURES for figures in document["models"].values())
    assert document["users"] == 31
    assert document["evaluated_users"] == 30
    assert document["items"] == 15
    assert "measuring: 30 of 30" in err
    assert "30 of 31 users measured, all 15 items ranked" in err
    kept = json.loads(report.read_text())
    by_user = kept.pop("ndcg@10_by_user")
    assert kept == document
    assert sum(by_user["blend"]) / 30 == pytest.approx(
        document["models"]["blend"]["ndcg@10"], abs=1e-5
    )


@pytest.mark.usefixtures("few_settings")
def test_attributes_add_content_to_the_table(capsys, sequences, tmp_path):
    attributes = tmp_path / "attributes.json"
    attributes.write_text(json.dumps({f"i{item}": [item % 3] for item in range(15)}))
    code, out, err = run(
        capsys, "--sequences", sequences, "--attributes", str(attributes), "--minutes", "0.02",
        "--threads", "1",
    )  # fmt: skip
    assert code == 0, err
    shown = [line.split()[0] for line in out.splitlines() if line.strip()]
    for name in ("Model", "blend", "sequential", "content", "als", "bpr", "item_knn", "popularity"):
        assert name in shown
    assert "nDCG@10" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3 4\n2\n", "s.txt:2: user 2 has no item"),
        ("1 2 3 4\n1 3\n", "s.txt:2: user 1 has a line above"),
        ("1 2\n2 3\n", "s.txt: no sequence can be measured"),
        ("", "s.txt: no sequences"),
    ],
)
def test_a_bad_file_is_a_usage_error(capsys, tmp_path, text, message):
    path = tmp_path / "s.txt"
    path.write_text(text)
    code, out, err = run(capsys, "--sequences", str(path), "--json")
    assert (code, out) == (2, "")
    assert message in err


def test_bad_attributes_are_a_usage_error(capsys, sequences, tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"i1": [1],\n"i2" 3}')
    code, _, err = run(capsys, "--sequences", sequences, "--attributes", str(path))
    assert code == 2
    assert "a.json:2: no JSON" in err


def test_no_folder_for_the_report_is_said_before_the_work(capsys, sequences, tmp_path):
    out = tmp_path / "none" / "report.json"
    code, _, err = run(capsys, "--sequences", sequences, "--out", str(out))
    assert code == 2
    assert "no folder" in err


def test_an_absent_extra_is_named(capsys, sequences, monkeypatch):
    monkeypatch.setattr(evaluate_recommend, "LIBRARIES", ("torch", "no_such_library"))
    code, _, err = run(capsys, "--sequences", sequences)
    assert code == 1
    assert "not installed: no_such_library" in err
    assert "pip install 'wherefore[recommend]'" in err


def test_the_help_states_the_protocol(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    words = " ".join(out.split())
    for part in ("Leave-one-out", "without sampled negatives", "never on test"):
        assert part in words
