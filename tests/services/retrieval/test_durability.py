"""What was acknowledged outlives `kill -9`, in a real process and through the real engine."""

import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from services.retrieval.catalogue import Catalogue
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout
from services.retrieval.store.port import SparseVector, StoredProduct, point_id
from shared.errors import UnavailableError

LAYOUT = Layout(dimension=8)
ROOT = Path(__file__).parents[3]

# Writes batches for ever, and says so only once each is acknowledged.
WRITER = """
import sys
from pathlib import Path
from services.retrieval.catalogue import Catalogue
from services.retrieval.drafts import Draft
from services.retrieval.fields import INDEXED
from services.retrieval.store.edge import EdgeStore
from services.retrieval.store.layout import Layout
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector

catalogue = Catalogue(EdgeStore(Path(sys.argv[1]), Layout(dimension=8, fields=INDEXED)), 8)
catalogue.open()
vector = Vector(values=[1.0] + [0.0] * 7, model="toy@1")
batch = 0
while True:
    drafts = [
        Draft(row, Product(id=f"{batch}-{row}", titles={"en": f"Kettle {row}"}), vector)
        for row in range(1, 21)
    ]
    assert catalogue.write(drafts).indexed == 20
    catalogue.commit()
    batch += 1
    print(batch, catalogue.version, flush=True)
"""


def test_acknowledged_batches_survive_kill_9(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            batches, version = map(int, line.split())
            if batches >= 5:
                break
        writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL

    catalogue = Catalogue(EdgeStore(tmp_path, LAYOUT), 8)
    catalogue.open()
    ids = [f"{batch}-{row}" for batch in range(batches) for row in range(1, 21)]
    assert len(catalogue.store.fetch([point_id(each) for each in ids], ("product",))) == len(ids)
    assert catalogue.version >= version
    assert catalogue.vector_model == "toy@1"
    catalogue.close()


def test_the_graph_may_be_rebuilt_while_others_write_and_search(tmp_path: Path) -> None:
    def some(numbers: range) -> list[StoredProduct]:
        random = np.random.default_rng(numbers.start)
        vectors = random.normal(size=(len(numbers), 8)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return [
            StoredProduct(f"p{number}", SparseVector((number,), (1.0,)), vector, {"price": 1.0})
            for number, vector in zip(numbers, vectors, strict=True)
        ]

    store = EdgeStore(tmp_path, LAYOUT)
    store.open()
    store.write(some(range(2_000)))
    optimizing = threading.Thread(target=store.optimize)
    optimizing.start()
    written = 2_000
    while optimizing.is_alive():
        store.write(some(range(written, written + 5)))
        store.delete([f"p{written}"])
        written += 5
        assert store.search_dense(np.eye(8, dtype=np.float32)[0], 5)
        store.flush()
    optimizing.join()
    expected = {f"p{number}" for number in range(written) if number < 2_000 or number % 5}
    assert {record.product_id for record in store.scan(())} == expected
    (folder,) = tmp_path.glob("points-*")
    assert folder.name != "points-0"
    store.close()

    again = EdgeStore(tmp_path, LAYOUT)
    again.open()
    assert {record.product_id for record in again.scan(())} == expected
    again.close()


def test_closing_ends_an_optimisation_and_loses_nothing(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path, LAYOUT)
    store.open()
    product = StoredProduct("a", SparseVector((1,), (1.0,)), np.eye(8, dtype=np.float32)[0], {})
    store.write([product])

    def optimize() -> None:
        with suppress(UnavailableError):  # where it is closed before it begins
            store.optimize()

    optimizing = threading.Thread(target=optimize)
    optimizing.start()
    store.close()
    optimizing.join()
    store.open()
    assert store.count(exact=True) == 1
    store.close()


def test_leftovers_of_a_cut_optimisation_are_removed(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path, LAYOUT)
    store.open()
    store.close()
    (tmp_path / "points-cut").mkdir()
    store.open()
    assert [folder.name for folder in tmp_path.glob("points-*")] == ["points-0"]
    store.close()


def test_one_process_at_a_time(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path, LAYOUT)
    store.open()
    with pytest.raises(UnavailableError, match="another process"):
        EdgeStore(tmp_path, LAYOUT).open()
    store.close()


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path, LAYOUT)
    with pytest.raises(UnavailableError, match="closed"):
        store.ping()
