import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from shared.evaluation.search_evaluation import SuiteTargets


@pytest.fixture
def files(tmp_path):
    catalogue = tmp_path / "shop.jsonl"
    catalogue.write_text(
        "".join(
            json.dumps({"id": item, "titles": {"en": f"Kettle {item}"}}) + "\n"
            for item in ("a", "b", "c")
        )
    )
    judgments = tmp_path / "judgments.csv"
    judgments.write_text("query,docid,rating\nkettle,a,0\nkettle,b,3\ncup,c,0\n")
    return catalogue, judgments


@pytest.fixture
def evaluate(running, monkeypatch, files, capsys):
    running.suite.products = {}
    homes, settings = [], []

    @asynccontextmanager
    async def fake_suite(home=None, *, triton=True, variables=None):
        homes.append((home, triton))
        settings.append(variables)
        yield SimpleNamespace(targets=SuiteTargets(*[running.target] * 4))

    monkeypatch.setattr("shared.cli.private_suite.private_suite", fake_suite)

    def run(*arguments, judgments=None):
        from shared.cli.app import main

        catalogue, ours = files
        capsys.readouterr()
        code = main(
            [
                *("eval", "search", "--catalogue", str(catalogue)),
                *("--judgments", str(judgments or ours), *arguments),
            ]
        )
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    run.homes = homes
    run.settings = settings
    return run


def test_json_report_is_alone_on_standard_output(evaluate, tmp_path):
    done = evaluate("--json", "--out", str(tmp_path / "report.json"))
    assert done.code == 0, done.err
    document = json.loads(done.out)
    # b, the only relevant product, comes second of a, b, c; second of the judged a, b.
    assert document["path"]["ndcg@10"] == pytest.approx(0.6309, abs=1e-4)
    assert document["path"]["ndcg@10_judged_only"] == pytest.approx(0.6309, abs=1e-4)
    assert document["path"]["mrr@10"] == 0.5
    assert document["path"]["recall@100"] == 1.0
    assert document["path"]["judged@10"] == pytest.approx((2 / 3 + 1 / 3) / 2)
    assert set(document["legs"]) == {"dense", "sparse", "fused"}
    assert document["queries"] == 2
    assert document["catalogue"]["imported"] == 3
    assert "2 of 2 queries ranked" in done.err
    assert json.loads((tmp_path / "report.json").read_text()) == document


def test_vectors_that_were_skipped_are_filled_in_before_ranking(evaluate, running):
    running.suite.degraded_imports = 2
    done = evaluate("--json")
    assert done.code == 0, done.err
    assert running.suite.import_calls == 3
    assert done.err.count("importing again to fill it in") == 2
    document = json.loads(done.out)
    assert document["catalogue"]["imported"] == 3
    assert document["catalogue"]["degraded"] == []


def test_a_catalogue_that_is_never_whole_is_not_ranked(evaluate, running):
    running.suite.degraded_imports = 100
    done = evaluate("--json")
    assert done.code == 1
    assert done.out == ""
    assert "nlu.embedding: sparse only" in done.err


def test_table_has_every_system(evaluate):
    done = evaluate()
    for name in ("dense", "sparse", "fused", "path", "0.631"):
        assert name in done.out
    assert "without any relevant product" in done.err


def test_failing_queries_are_named(evaluate, tmp_path):
    judgments = tmp_path / "other.csv"
    judgments.write_text("query,docid,rating\nkettle,b,3\ndown,b,1\n")
    done = evaluate("--json", judgments=judgments)
    assert done.code == 1
    assert "query “down” failed" in done.err
    assert json.loads(done.out)["failed_queries"] == ["down"]


def test_bad_judgements_are_refused_before_anything_starts(evaluate, tmp_path):
    judgments = tmp_path / "bad.csv"
    judgments.write_text("query,docid\n")
    done = evaluate(judgments=judgments)
    assert done.code == 2
    assert "no column rating" in done.err
    assert evaluate.homes == []


def test_options_reach_the_suite(evaluate, tmp_path):
    evaluate("--no-triton", "--keep-suite", str(tmp_path / "kept"))
    assert evaluate.homes == [(tmp_path / "kept", False)]


def test_the_html_report_shows_the_queries(evaluate, tmp_path):
    done = evaluate("--json", "--html", str(tmp_path / "report.html"))
    assert done.code == 0, done.err
    page = (tmp_path / "report.html").read_text()
    assert "<h3>kettle</h3>" in page
    assert "Kettle a" in page
    assert "shop.jsonl" in page
    assert json.loads(done.out)["path_against"]["dense"]["ndcg@10"]["difference"] == 0


def test_a_folder_that_is_missing_is_told_before_anything_starts(evaluate, tmp_path):
    done = evaluate("--html", str(tmp_path / "missing" / "report.html"))
    assert done.code == 2
    assert "no folder" in done.err
    assert evaluate.homes == []


def test_parts_are_left_out_by_a_ranking_with_weights_of_its_own(evaluate):
    done = evaluate("--json", "--ablations")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert {"without dense", "without expansion", "without words features"} <= set(
        document["ablations"]
    )
    assert set(document["ablations"]) <= set(document["path_against"])
    (settings,) = evaluate.settings
    assert list(settings) == ["WHEREFORE_RANKING_WEIGHTS_PATH"]
    assert evaluate().code == 0
    assert evaluate.settings[1] == {}


def test_a_trained_model_cannot_do_without_features(evaluate, monkeypatch):
    monkeypatch.setenv("WHEREFORE_RANKING_SEARCH_MODEL_PATH", "model.json")
    done = evaluate("--ablations")
    assert done.code == 2
    assert "WHEREFORE_RANKING_SEARCH_MODEL_PATH" in done.err
    assert evaluate.homes == []
