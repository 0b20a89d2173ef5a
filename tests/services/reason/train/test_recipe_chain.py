"""The recipe of the model that comes along, from data sets to what is served, a few steps long."""

import csv
import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("tqdm", reason="the extra `train` is not installed")

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.onnx_writer import OnnxWriter
from services.reason.train.measure import held_scenes
from services.reason.train.recipe import RECIPES, read_recipe
from tests.services.reason.train.test_command import run as command

NAME = "reason_small"
LONG = 60.0


def write_lines(path: Path, rows: Sequence[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Data sets in the form of those that the recipe names."""
    folder = tmp_path / "data"
    copy = {"content": "类型#裙*颜色#红色", "summary": "这条红色的裙走起路来很轻快"}
    write_lines(folder / "attributes_to_copy_zh" / "train.jsonl.gz", [copy] * 20)
    review = {"label": 1, "review": "包装完好而且送货很快"}
    write_lines(folder / "reviews_zh" / "train.jsonl.gz", [review] * 40)
    reviews = folder / "reviews_by_product_en" / "reviews.csv"
    reviews.parent.mkdir()
    with reviews.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("prod_id", "review"))
        table.writerows((f"p{n}", "It works well and came in time.") for n in range(40))
    return folder


def test_one_command_trains_all_parts_and_one_makes_them_served(data: Path, tmp_path: Path) -> None:
    shipped = (RECIPES / f"{NAME}.toml").read_text(encoding="utf-8")
    small = tmp_path / f"{NAME}.toml"
    few = shipped.replace("scenes = 60000", "scenes = 80")
    assert few != shipped
    small.write_text(f"max_steps = 2\njudged_scenes = 4\n{few}", encoding="utf-8")
    out = tmp_path / "run"
    assert command("train", str(small), "--data", str(data), "--out", str(out)) == 0
    history = json.loads((out / "history.json").read_text())
    stages = read_recipe(NAME).stages
    assert [one["stage"] for one in history] == [
        number for number, stage in enumerate(stages, start=1) for _ in range(stage.epochs)
    ]
    # Each stage had something to learn from.
    assert all(history[at]["loss"] for at in (0, 1, 3))
    counts = json.loads((out / "corpus" / "counts.json").read_text())
    assert all(counts[f"{part}.train"] for part in ("reasons", "copy", "reviews")), counts

    models = tmp_path / "models"
    assert command("entry", str(small), "--out", str(out), "--repository", str(models)) == 0
    writer = OnnxWriter(models / NAME, DEFAULT_BANNED_WORDS, 1)
    assert writer.version == f"{NAME}@1"
    held = held_scenes(read_recipe(str(small)).corpus, data, "test", 20)
    page = [one.wanted for one in held if writer.knows(one.wanted)]
    assert page
    told = list(writer.stream(page, LONG))
    writer.close()
    # So little training finds few ends; every row has one all the same.
    ended = {one.row for one in told if one.reason is not None or one.failed}
    assert ended == set(range(len(page)))
