"""Re-indexing while others write and search: nothing acknowledged is lost; it can be stopped."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from qdrant_client import QdrantClient

from services.retrieval.catalogue import Catalogue
from services.retrieval.drafts import Draft
from services.retrieval.fields import INDEXED
from services.retrieval.reindex_check import Agreement, compare
from services.retrieval.reindexing import Reindexer, Stage, Step
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import VectorStore, point_id
from services.retrieval.store.server import ServerStore
from shared.errors import FailedPreconditionError, RequestCancelledError
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector

pytestmark = pytest.mark.filterwarnings(
    "ignore:Local mode performs exact:UserWarning", "ignore:Payload indexes have no effect"
)
ROOT = Path(__file__).parents[3]
COUNT = 350

Tell = Callable[[Step], None]


def draft(number: int, title: str = "Kettle") -> Draft:
    vector = Vector(values=[0.0] * 8, model="toy@1")
    vector.values[number % 8] = 0.8
    vector.values[(number + 1) % 8] = 0.6
    product = Product(id=f"p{number}", titles={"en": f"{title} number {number}"})
    return Draft(1, product, vector, "source")


def titles(catalogue: Catalogue) -> dict[str, str]:
    return {record.product_id: record.payload["etag"] for record in catalogue.store.scan(("etag",))}


@pytest.fixture
def catalogue(store: VectorStore) -> Catalogue:
    """Over each store, with products in it."""
    made = Catalogue(store, 8)
    made.open()
    for start in range(0, COUNT, 50):
        made.write([draft(number) for number in range(start, start + 50)])
    made.commit()
    return made


def nothing(_: Step) -> None:
    pass


def test_the_same_products_answer_after(catalogue: Catalogue) -> None:
    before = titles(catalogue)
    steps: list[Step] = []
    Reindexer(catalogue, steps.append, 0).build(keep_former=False)
    assert titles(catalogue) == before
    assert catalogue.store.former() is None
    stages = [step.stage for step in steps]
    assert sorted(stages, key=lambda stage: stage.value) == stages
    assert set(stages) == set(Stage)
    copied = [step for step in steps if step.stage is Stage.COPYING]
    assert (copied[-1].done, copied[-1].total) == (COUNT, COUNT)
    assert steps[-1].agreement == Agreement(50, 1.0, 1.0, 1.0)
    assert catalogue.vector_sources(["p1"]) == {"p1": "source"}


def test_what_is_written_at_every_stage_is_in_the_new_index(catalogue: Catalogue) -> None:
    written = 0

    def write(step: Step) -> None:
        # As another thread would, between two pages and at each stage.
        nonlocal written
        catalogue.write([draft(written, "Teapot"), draft(COUNT + written)])
        catalogue.delete([f"p{100 + written}"])
        catalogue.commit()
        written += 1

    Reindexer(catalogue, write, 0).build(keep_former=False)
    assert written >= len(Stage)
    kept = {f"p{number}" for number in range(COUNT + written) if not 100 <= number < 100 + written}
    after = titles(catalogue)
    assert set(after) == kept
    catalogue.write([draft(number, "Teapot") for number in range(written)])
    assert titles(catalogue) == after  # they were teapots already


def test_writers_and_readers_in_threads_notice_nothing(tmp_path: Path) -> None:
    catalogue = opened(tmp_path)  # local mode of the client is not made for threads
    catalogue.write([draft(number) for number in range(COUNT)])
    done = threading.Event()
    acknowledged: list[int] = []
    problems: list[BaseException] = []

    def write() -> None:
        number = COUNT
        while not done.is_set():
            catalogue.write([draft(number)])
            catalogue.commit()
            acknowledged.append(number)
            number += 1
            time.sleep(0.005)

    def search() -> None:
        try:
            while not done.is_set():
                found = catalogue.store.fetch([point_id("p7")], ("etag",))
                assert [record.product_id for record in found] == ["p7"]
                assert catalogue.store.count() >= COUNT
                time.sleep(0.005)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=each) for each in (write, search)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            Reindexer(catalogue, nothing, 0.05).build(keep_former=False)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert acknowledged
    assert set(titles(catalogue)) == {f"p{n}" for n in range(COUNT + len(acknowledged))}
    catalogue.close()


def test_going_back_loses_nothing(catalogue: Catalogue) -> None:
    Reindexer(catalogue, nothing, 0).build(keep_former=True)
    catalogue.write([draft(0, "Teapot"), draft(COUNT)])
    catalogue.delete(["p1"])
    after = titles(catalogue)
    for _ in range(2):
        Reindexer(catalogue, nothing, 0).go_back()
        assert titles(catalogue) == after
    Reindexer(catalogue, nothing, 0).drop_former()
    with pytest.raises(FailedPreconditionError, match="no former index"):
        Reindexer(catalogue, nothing, 0).go_back()


def test_what_is_written_as_it_begins_is_not_lost(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = catalogue.store
    points, scan = store.points, store.scan

    def points_then_write(*_: object) -> list[str]:
        found = points()
        catalogue.write([draft(COUNT)])
        return found

    monkeypatch.setattr(store, "points", points_then_write)
    Reindexer(catalogue, nothing, 0).build(keep_former=True)
    monkeypatch.setattr(store, "points", points)
    assert f"p{COUNT}" in titles(catalogue)

    def scan_then_write(*arguments: object):
        found = list(scan(*arguments))  # type: ignore[arg-type]
        catalogue.write([draft(3, "Teapot")])
        return iter(found)

    monkeypatch.setattr(store, "scan", scan_then_write)
    Reindexer(catalogue, nothing, 0).go_back()
    monkeypatch.setattr(store, "scan", scan)
    assert catalogue.write([draft(3, "Teapot")]).unchanged == 1


@pytest.mark.parametrize("stage", [Stage.COPYING, Stage.BUILDING, Stage.CHECKING])
def test_stopped_before_the_change_it_leaves_the_index_as_it_was(
    catalogue: Catalogue, stage: Stage
) -> None:
    def stop(step: Step) -> None:
        if step.stage is stage:
            worker.stop()

    worker = Reindexer(catalogue, stop, 0)
    with pytest.raises(RequestCancelledError, match="as it was"):
        worker.build(keep_former=False)
    assert catalogue.store.former() is None
    assert len(titles(catalogue)) == COUNT
    Reindexer(catalogue, nothing, 0).build(keep_former=False)
    assert len(titles(catalogue)) == COUNT


def test_stopped_after_the_change_it_keeps_the_former(catalogue: Catalogue) -> None:
    worker = Reindexer(catalogue, lambda s: s.stage is Stage.KEEPING and worker.stop(), 60)
    worker.build(keep_former=False)
    assert catalogue.store.former() is not None


def test_an_index_that_answers_otherwise_is_not_taken(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.retrieval.reindexing._bring_over", lambda *_: None)
    with pytest.raises(FailedPreconditionError, match="not taken: by exact vectors it finds 0%"):
        Reindexer(catalogue, nothing, 0).build(keep_former=False)
    assert len(titles(catalogue)) == COUNT


def test_an_empty_index_is_changed_too(store: VectorStore) -> None:
    catalogue = Catalogue(store, 8)
    catalogue.open()
    Reindexer(catalogue, nothing, 0).build(keep_former=False)
    assert titles(catalogue) == {}
    assert catalogue.write([draft(1)]).indexed == 1


def test_agreement_counts_what_is_missing(store: VectorStore) -> None:
    catalogue = Catalogue(store, 8)
    catalogue.open()
    catalogue.write([draft(number) for number in range(8)])
    second = store.make_second()
    second.write(store.copies(store.points())[:4])
    agreement = compare(store, second, lambda: None)
    assert agreement.searches == 8
    assert agreement.exact == agreement.graph == 0.5
    assert "exact vectors" in agreement.problem
    assert compare(store, store, lambda: None).problem == ""


def test_vectors_of_another_length_are_not_copied() -> None:
    client = QdrantClient(":memory:")
    catalogue = Catalogue(ServerStore(client, "products", Layout(8)), 8)
    catalogue.open()
    catalogue.write([draft(0)])
    longer = Catalogue(ServerStore(client, "products", Layout(16)), 16)
    longer.open()
    with pytest.raises(FailedPreconditionError, match="have 8 components and the settings want 16"):
        Reindexer(longer, nothing, 0).build(keep_former=False)
    assert len(titles(longer)) == 1


# Of a server alone: several processes write to one collection.


def test_writes_of_another_replica_are_brought_over() -> None:
    client = QdrantClient(":memory:")
    ours, theirs = (Catalogue(ServerStore(client, "products", Layout(8)), 8) for _ in range(2))
    for each in (ours, theirs):
        each.open()
    ours.write([draft(number) for number in range(COUNT)])
    theirs.refresh()  # as each look at its health does
    late = ServerStore(client, "products", Layout(8))._index("products")
    seen: set[Stage] = set()

    def write(step: Step) -> None:
        if step.stage in seen:
            return
        seen.add(step.stage)
        theirs.write([draft(COUNT + step.stage.value), draft(step.stage.value, "Teapot")])
        if step.stage is Stage.KEEPING:
            # Sent before the change, and written into the former collection after it.
            another = ours.store.copies([point_id("p20")])[0]
            payload = {**another.payload, "etag": "late"}
            late.write([type(another)("p20", another.sparse, another.dense, payload)])
            late.delete(["p21", "p22"])
            # Written since: newer than what happened to the former one.
            theirs.write([draft(22, "Teapot")])

    Reindexer(ours, write, 0).build(keep_former=False)
    after = titles(ours)
    assert {f"p{COUNT + stage.value}" for stage in Stage} <= after.keys()
    assert after["p20"] == "late"
    assert "p21" not in after
    assert "p22" in after
    assert titles(theirs) == after


# `kill -9`, in a real process and through the real engine.

VICTIM = """
import os, sys, threading
from pathlib import Path
from services.retrieval.reindexing import Reindexer, Stage
from tests.services.retrieval.test_reindexing import COUNT, draft, opened

def say(kind, value):
    os.write(1, f"{kind} {value}\\n".encode())  # in one piece: two threads do

catalogue = opened(Path(sys.argv[1]))
catalogue.write([draft(number) for number in range(COUNT)])
catalogue.commit()

def write():
    number = COUNT
    while True:
        catalogue.write([draft(number)])
        catalogue.commit()
        say("written", number)
        number += 1

threading.Thread(target=write, daemon=True).start()

def tell(step):
    say("stage", step.stage.name)

while True:
    Reindexer(catalogue, tell, 0.05).build(keep_former=False)
"""


def opened(folder: Path) -> Catalogue:
    catalogue = Catalogue(EdgeStore(folder, Layout(dimension=8, fields=INDEXED)), 8)
    catalogue.open()
    return catalogue


@pytest.mark.parametrize("stage", list(Stage))
def test_acknowledged_writes_survive_kill_9_at_any_stage(tmp_path: Path, stage: Stage) -> None:
    last = COUNT - 1
    reached = False
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as victim:
        assert victim.stdout is not None
        for line in victim.stdout:
            kind, value = line.split()
            if kind == "written":
                last = int(value)
            reached = reached or (kind == "stage" and value == stage.name)
            if reached and last >= COUNT:
                break
        victim.send_signal(signal.SIGKILL)
        rest = victim.stdout.read()
    assert victim.returncode == -signal.SIGKILL
    last = max([last, *(int(line.split()[1]) for line in rest.splitlines() if "written " in line)])

    catalogue = opened(tmp_path)
    assert {f"p{number}" for number in range(last + 1)} <= titles(catalogue).keys()
    Reindexer(catalogue, nothing, 0).build(keep_former=False)
    assert {f"p{number}" for number in range(last + 1)} <= titles(catalogue).keys()
    catalogue.close()
    assert len(list(tmp_path.glob("index-*/"))) == 1
