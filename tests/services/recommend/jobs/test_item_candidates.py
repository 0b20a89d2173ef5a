"""The sharded job against `ItemKnn` in one process."""

import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from services.recommend.item_knn import ItemKnn, ItemKnnSettings
from services.recommend.jobs.item_candidates import (
    count_pairs,
    divide,
    rank_part,
    read_candidates,
)
from services.recommend.jobs.layout import JobError, JobFolder, Manifest
from services.recommend.sequences import SequenceData, read_sequences

SETTINGS = ItemKnnSettings(nearness=0.8, backward=0.5, user_power=0.7, target_power=0.3, window=4)
TOP = 7


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 users over 40 items, some of them bought twice, some users with one item only."""
    rng = np.random.default_rng(11)
    popularity = 1 / np.arange(1, 41)
    lines = []
    for user in range(120):
        items = rng.choice(40, size=rng.integers(1, 12), p=popularity / popularity.sum())
        lines.append(f"u{user} " + " ".join(f"i{item}" for item in items))
    path = tmp_path_factory.mktemp("sequences") / "s.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(source: str | Path, folder: JobFolder, manifest: Manifest) -> None:
    divide(str(source), folder, manifest)
    for shard in range(manifest.shards):
        count_pairs(folder, shard, SETTINGS)
    for part in range(manifest.parts):
        rank_part(folder, part, SETTINGS, top=TOP)


def neighbours(data: SequenceData) -> dict[str, dict[str, float]]:
    """All similarities of one process, by item: what an item alone as a history scores."""
    model = ItemKnn(len(data.items), SETTINGS)
    model.fit(data.sequences)
    scores = model.scores([np.array([item]) for item in range(len(data.items))])
    return {
        data.items[item]: {
            data.items[other]: float(row[other]) for other in np.flatnonzero(row > 0)
        }
        for item, row in enumerate(scores)
    }


@pytest.mark.parametrize("manifest", [Manifest(1, 1), Manifest(5, 3)], ids=str)
def test_shards_give_what_one_process_gives(
    source: Path, tmp_path: Path, manifest: Manifest
) -> None:
    folder = JobFolder(tmp_path / "job")
    run(source, folder, manifest)
    found = read_candidates(folder)
    wanted = {item: by for item, by in neighbours(read_sequences(source)).items() if by}
    assert set(found) == set(wanted)
    for item, candidates in found.items():
        best = sorted(wanted[item].values(), reverse=True)[:TOP]
        assert [similarity for _, similarity in candidates] == pytest.approx(best, rel=1e-4)
        for other, similarity in candidates:
            assert wanted[item][other] == pytest.approx(similarity, rel=1e-4)


def test_the_number_of_shards_changes_nothing(source: Path, tmp_path: Path) -> None:
    one, many = JobFolder(tmp_path / "one"), JobFolder(tmp_path / "many")
    run(source, one, Manifest(1, 1))
    run(source, many, Manifest(7, 4))
    left, right = read_candidates(one), read_candidates(many)
    assert set(left) == set(right)
    for item, candidates in left.items():
        assert [s for _, s in right[item]] == pytest.approx([s for _, s in candidates], rel=1e-9)


def test_events_in_parquet_are_put_in_order_of_time(tmp_path: Path) -> None:
    database = duckdb.connect()
    events = tmp_path / "events.parquet"
    database.execute("""CREATE TABLE events AS SELECT * FROM (VALUES
        ('u', 'late', 30), ('u', 'early', 10), ('u', 'then', 20), (NULL, 'lost', 1)
    ) AS e("user", item, time)""")
    database.table("events").write_parquet(str(events))
    folder = JobFolder(tmp_path / "job")
    divide(str(events), folder, Manifest(1, 1))
    rows = database.execute(
        "SELECT item FROM read_parquet(?) ORDER BY place", [str(folder.events(0))]
    ).fetchall()
    assert [item for (item,) in rows] == ["early", "then", "late"]


def test_a_task_that_runs_again_changes_nothing(source: Path, tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "job")
    run(source, folder, Manifest(3, 2))
    first = read_candidates(folder)
    count_pairs(folder, 1, SETTINGS)
    rank_part(folder, 0, SETTINGS, top=TOP)
    assert read_candidates(folder) == first
    assert not [path for path in folder.root.rglob(".*") if path.exists()]


def test_nothing_is_ranked_before_all_shards_are_counted(source: Path, tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "job")
    with pytest.raises(JobError, match="run `shard` first"):
        count_pairs(folder, 0, SETTINGS)
    divide(str(source), folder, Manifest(3, 2))
    count_pairs(folder, 0, SETTINGS)
    with pytest.raises(JobError, match=r"shards \[1, 2\] are not counted"):
        rank_part(folder, 0, SETTINGS)
    with pytest.raises(JobError, match="3 shards, from 0"):
        count_pairs(folder, 3, SETTINGS)
    with pytest.raises(JobError, match="no part 2"):
        rank_part(folder, 2, SETTINGS)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"nothing\.parquet"):
        divide(str(tmp_path / "nothing.parquet"), JobFolder(tmp_path / "job"), Manifest(1, 1))
    assert not (tmp_path / "job" / "manifest.json").exists()


def test_the_command_runs_all_tasks(source: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.recommend.jobs"]
    arguments = ["run", str(source), "--folder", str(tmp_path / "job"), "--shards", "2"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert read_candidates(JobFolder(tmp_path / "job"))
    again = [*command, "pairs", "9", "--folder", str(tmp_path / "job")]
    done = subprocess.run(again, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "2 shards, from 0" in done.stderr
    assert "Traceback" not in done.stderr
