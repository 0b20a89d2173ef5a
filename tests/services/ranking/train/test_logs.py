"""`services.ranking.train.logs`: trained from what shoppers did, in one process or in two."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.ranking.clicks.behaviour import PositionBased, follow_through
from services.ranking.clicks.page_log import LoggedPage, write_pages
from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.deep.model_file import FILE, DeepFile
from services.ranking.exploration import Explorer, Likeness
from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.tree_model import TreeModel
from services.ranking.weights import load_weights

ROOT = Path(__file__).parents[4]
QUERIES, EACH, CANDIDATES, PLACES = 80, 30, 12, 6


def make_pages() -> list[LoggedPage]:
    """The served weights explore; shoppers go by the rating, which weighs little there."""
    random = np.random.default_rng(0)
    weights = load_weights(DEFAULT_WEIGHTS).serving["search"].weights
    explorer, shopper = Explorer(1.0, random), PositionBased(1.0)
    used = [FEATURES.index(name) for name in ("rating", "fused_score", "title_coverage", "stock")]
    pages = []
    for query in range(QUERIES):
        features = np.zeros((CANDIDATES, len(FEATURES)))
        features[:, used] = random.random((CANDIDATES, len(used)))
        scores = LinearModel.of("", weights).score(features)
        for _ in range(EACH):
            drawn = explorer.order(
                scores, features, weights,
                likeness=Likeness({}, {}), strength=0.0, limit=PLACES,
            )  # fmt: skip
            shown = np.array(drawn.order)
            attracts = (0.05 + 0.9 * features[shown, used[0]] ** 2)[None, :]
            clicked = shopper.click(attracts, random)
            carted, bought = follow_through(clicked, attracts, random)
            pages.append(
                LoggedPage(
                    f"query {query}",
                    features,
                    shown,
                    drawn.propensities,
                    clicked[0],
                    carted[0],
                    bought[0],
                    [f"{query}-{number}" for number in range(CANDIDATES)],
                )
            )
    return pages


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """Two files, each with half of every query's pages."""
    folder = tmp_path_factory.mktemp("shards")
    pages = make_pages()
    write_pages(pages[::2], folder / "0.jsonl.gz")
    write_pages(pages[1::2], folder / "1.jsonl")
    return folder


def run(*arguments: str, processes: int = 0) -> subprocess.CompletedProcess[str]:
    launcher = [sys.executable, "-m"]
    if processes:
        launcher += ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
    command = [*launcher, "services.ranking.train.logs", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=240, check=False, cwd=ROOT
    )


def figures(done: subprocess.CompletedProcess[str]) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def alone(shards, tmp_path_factory) -> dict:
    """The deep ranker, trained by one process."""
    out = tmp_path_factory.mktemp("alone")
    return figures(run("--page-logs", str(shards), "--model", "deep", "--out", str(out), "--json"))


def test_the_deep_ranker_learns_what_shoppers_go_by(alone):
    difference, low, _, p = alone["difference of ndcg@10"]["clicks"]
    assert difference > low > 0.05
    assert p < 0.01
    assert alone["learnt"]["clicks on a page"]["dr"]["gain"][1] > 0
    assert alone["worth_serving"]
    assert all(after < 0.05 for _, after in alone["calibration"].values())
    folder = Path(alone["model"])
    assert DeepFile.load(folder / "1" / FILE).version == alone["version"] == "deep-search@1"
    card = (folder / "README.md").read_text()
    assert f"{alone['learnt']['ndcg@10']['clicks'][0]:.3f}" in card
    assert [path.name for path in folder.parent.iterdir()] == ["deep_ranker"]  # no checkpoint


@pytest.mark.integration
def test_two_processes_end_with_equal_weights_as_good_as_one(shards, alone, tmp_path):
    done = run(
        "--page-logs", str(shards), "--model", "deep", "--out", str(tmp_path), "--json",
        processes=2,
    )  # fmt: skip
    told = figures(done)
    first, second = told["weights_sha256"]
    assert first == second
    for what in ("clicks", "worth"):
        both, one = (each["learnt"]["ndcg@10"][what][0] for each in (told, alone))
        assert both == pytest.approx(one, abs=0.03)
    assert (told["pages"], told["queries"]) == (alone["pages"], alone["queries"])


def test_trees_learn_from_the_same_log(shards, tmp_path):
    told = figures(run("--page-logs", str(shards), "--out", str(tmp_path), "--json"))
    assert told["difference of ndcg@10"]["clicks"][0] > 0.05
    assert TreeModel.load(tmp_path / "model.json").version == "lambdamart-clicks@1"
    assert "LambdaMART" in (tmp_path / "README.md").read_text()
    shown = run("--page-logs", str(shards), "--out", str(tmp_path))
    assert "doubly robust" in shown.stdout
    assert "Serve it: WHEREFORE_RANKING_SEARCH_MODEL_PATH" in shown.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}\n", "pages.jsonl:1"),
        ("", "at least 20"),
    ],
)
def test_logs_that_teach_nothing_are_usage_errors(tmp_path, content, said):
    (tmp_path / "pages.jsonl").write_text(content)
    done = run("--page-logs", str(tmp_path), "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
