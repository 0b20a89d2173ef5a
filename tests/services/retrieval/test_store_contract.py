"""What every adapter of the VectorStore port does alike."""

import numpy as np
import pytest

from services.retrieval.store.conditions import (
    AllOf,
    AnyOf,
    Condition,
    IdIn,
    Negated,
    PointIn,
    Present,
    Range,
    SomeOf,
    all_of,
)
from services.retrieval.store.port import (
    PICTURE,
    FieldKind,
    SparseVector,
    StoredProduct,
    VectorStore,
    point_id,
)

# Local mode is brute force, which is why it only stands in for the server here.
pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning")

DIMENSION = 8
PICTURE_DIMENSION = 6


def unit(*components: float) -> np.ndarray:
    values = np.zeros(DIMENSION, dtype=np.float32)
    values[: len(components)] = components
    return values / np.linalg.norm(values)


def picture(*components: float) -> np.ndarray:
    values = np.zeros(PICTURE_DIMENSION, dtype=np.float32)
    values[: len(components)] = components
    return values / np.linalg.norm(values)


def stored(product_id: str, dense: np.ndarray | None, terms: dict[int, float], **payload: object):
    sparse = SparseVector(tuple(terms), tuple(terms.values()))
    return StoredProduct(product_id, sparse, dense, payload)


def fill(store: VectorStore) -> VectorStore:
    store.write(
        [
            stored("a", unit(1, 0), {1: 1.0, 2: 0.5}, brand="acme", price=10.0, in_stock="true"),
            stored("b", unit(1, 1), {1: 0.5}, brand="acme", price=20.0, tags=["x", "y"]),
            stored("c", unit(0, 1), {3: 1.0}, brand="zeta", in_stock="false", popularity=2.0),
            stored("d", None, {2: 2.0}, num={"ram": [4.0, 8.0]}, popularity=5.0),
        ]
    )
    store.flush()
    return store


@pytest.fixture
def filled(store: VectorStore) -> VectorStore:
    """For one test to change."""
    return fill(store)


@pytest.fixture(scope="module")
def filled_once(shared_store: VectorStore) -> VectorStore:
    """For all tests to read."""
    return fill(shared_store)


NAMES = {point_id(name): name for name in "abcd"}


def ids(hits: list) -> list[str]:
    return [NAMES[hit.point] for hit in hits]


def points(*names: str) -> list[str]:
    return [point_id(name) for name in names]


def test_dense_search_is_by_cosine(filled_once: VectorStore) -> None:
    hits = filled_once.search_dense(unit(1, 0.1), 10)
    assert ids(hits) == ["a", "b", "c"]
    assert hits[0].score == pytest.approx(1 / np.sqrt(1.01), abs=1e-5)
    assert filled_once.search_dense(unit(1, 0.1), 10, exact=True) == hits


def test_vectors_of_pictures_are_searched_apart(store: VectorStore) -> None:
    nothing = SparseVector((), ())
    store.write(
        [
            StoredProduct("a", nothing, unit(1), {}, picture(0, 1)),
            StoredProduct("b", nothing, unit(0, 1), {}, picture(1)),
            StoredProduct("c", nothing, unit(1, 1), {}),
        ]
    )
    assert ids(store.search_dense(picture(1, 0.2), 10, using=PICTURE)) == ["b", "a"]
    assert ids(store.search_dense(unit(1, 0.1), 10)) == ["a", "c", "b"]
    found = store.fetch(points("a", "c"), (), vectors=True)
    assert found[0].picture is not None
    assert found[0].picture.tolist() == pytest.approx(picture(0, 1).tolist())
    assert found[1].picture is None
    assert [each.picture is not None for each in store.copies(points("a", "c"))] == [True, False]


def test_sparse_search_weights_by_rarity(filled_once: VectorStore) -> None:
    # Terms 1 and 2 stand in two of four products each, so IDF = ln(1 + 2.5 / 2.5) = ln 2.
    hits = filled_once.search_sparse(SparseVector((1, 2), (1.0, 1.0)), 10)
    assert ids(hits) == ["d", "a", "b"]
    assert [hit.score for hit in hits] == pytest.approx(
        [2.0 * np.log(2), 1.5 * np.log(2), 0.5 * np.log(2)], rel=1e-3
    )


def test_limits(filled_once: VectorStore) -> None:
    assert len(filled_once.search_dense(unit(1), 1)) == 1
    assert len(filled_once.search_sparse(SparseVector((1,), (1.0,)), 1)) == 1


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, "abcd"),
        (AnyOf("brand", ("acme",)), "ab"),
        (AnyOf("brand", ("acme", "zeta")), "abc"),
        (AnyOf("tags", ("y",)), "b"),
        (AnyOf("tags", ("nothing",)), ""),
        (AnyOf("in_stock", ("true",)), "a"),
        (AnyOf("in_stock", ("false",)), "c"),
        (Range("price", at_least=10.0), "ab"),
        (Range("price", above=10.0), "b"),
        (Range("price", at_most=10.0), "a"),
        (Range("price", below=10.0), ""),
        (Range("price", at_least=10.0, below=20.0), "a"),
        (Range("num.ram", at_least=8.0), "d"),
        (Range("num.ram", above=8.0), ""),
        (Present("price"), "ab"),
        (Present("num.ram"), "d"),
        (Negated(Present("price")), "cd"),
        (Negated(AnyOf("brand", ("acme",))), "cd"),
        (Negated(Negated(AnyOf("brand", ("acme",)))), "ab"),
        (IdIn(("a", "nothing")), "a"),
        (IdIn(()), ""),
        (PointIn((point_id("b"), point_id("nothing"))), "b"),
        (Negated(IdIn(())), "abcd"),
        (AllOf((AnyOf("brand", ("acme",)), Range("price", above=15.0))), "b"),
        (SomeOf((AnyOf("brand", ("zeta",)), Range("price", above=15.0))), "bc"),
        (Negated(SomeOf((AnyOf("brand", ("zeta",)), Range("price", above=15.0)))), "ad"),
        (AllOf((SomeOf((Present("tags"), Present("price"))), Negated(IdIn(("a",))))), "b"),
    ],
)
def test_conditions(filled_once: VectorStore, condition: Condition | None, expected: str) -> None:
    assert "".join(sorted(r.product_id for r in filled_once.scan((), condition))) == expected
    assert "".join(sorted(NAMES[point] for point in filled_once.points(condition))) == expected
    assert filled_once.count(condition, exact=True) == len(expected)
    found = ids(filled_once.search_dense(unit(1, 1), 10, condition))
    assert "".join(sorted(found)) == expected.replace("d", "")


def test_lazily_indexed_fields_filter_alike(filled: VectorStore) -> None:
    filled.ensure_field("num.ram", FieldKind.NUMBER)
    filled.ensure_field("num.ram", FieldKind.NUMBER)
    assert filled.count(Range("num.ram", at_least=8.0), exact=True) == 1


def test_fetch_keeps_the_order_and_leaves_out_the_missing(filled_once: VectorStore) -> None:
    records = filled_once.fetch(points("d", "nothing", "a"), ("brand", "price"), vectors=True)
    assert [record.product_id for record in records] == ["d", "a"]
    assert records[1].payload["brand"] == "acme"
    assert records[0].dense is None
    assert records[1].dense == pytest.approx(unit(1, 0))
    assert records[1].sparse is not None
    assert dict(zip(records[1].sparse.indices, records[1].sparse.values, strict=True)) == {
        1: 1.0,
        2: 0.5,
    }
    assert filled_once.fetch([], ()) == []


def test_writing_replaces_payload_and_vectors(filled: VectorStore) -> None:
    filled.write([stored("a", None, {7: 1.0}, price=99.0)])
    (record,) = filled.fetch(points("a"), ("brand", "price"), vectors=True)
    assert (record.dense, record.payload.get("brand"), record.payload["price"]) == (
        None,
        None,
        99.0,
    )
    assert filled.count(exact=True) == 4
    assert "a" not in ids(filled.search_dense(unit(1), 10))
    assert ids(filled.search_sparse(SparseVector((7,), (1.0,)), 10)) == ["a"]


def test_delete(filled: VectorStore) -> None:
    filled.delete(["a", "nothing"])
    assert filled.count(exact=True) == 3
    assert ids(filled.search_dense(unit(1, 0), 10)) == ["b", "c"]


def test_top(filled_once: VectorStore) -> None:
    assert [(NAMES[hit.point], hit.score) for hit in filled_once.top("popularity", 5)] == [
        ("d", 5.0),
        ("c", 2.0),
    ]
    assert ids(filled_once.top("popularity", 1)) == ["d"]
    assert ids(filled_once.top("popularity", 5, AnyOf("brand", ("zeta",)))) == ["c"]


def test_facet(filled: VectorStore) -> None:
    assert filled.facet("brand", 10) == [("acme", 2), ("zeta", 1)]
    assert filled.facet("brand", 1) == [("acme", 2)]
    assert filled.facet("brand", 10, Range("price", above=15.0)) == [("acme", 1)]
    assert filled.facet("brand", 10, PointIn(tuple(points("a", "c")))) == [("acme", 1), ("zeta", 1)]
    assert filled.facet("brand", 10, PointIn(())) == []
    filled.delete(["a"])
    assert filled.facet("brand", 10) == [("acme", 1), ("zeta", 1)]


def test_scan_reads_every_page(store: VectorStore) -> None:
    store.write([stored(f"p{number}", None, {number: 1.0}) for number in range(2_345)])
    assert len({record.product_id for record in store.scan(())}) == 2_345
    assert len(set(store.points())) == 2_345


def test_meta(store: VectorStore) -> None:
    assert store.read_meta() == {}
    store.write_meta({"version": 1, "attributes": {"颜色": ["keyword"]}})
    store.write_meta({"version": 2})
    assert store.read_meta() == {"version": 2}


def test_optimize_keeps_everything(filled: VectorStore) -> None:
    filled.optimize()
    assert filled.is_optimized()
    filled.ping()
    assert filled.count(exact=True) == 4
    assert ids(filled.search_dense(unit(1, 0.1), 10)) == ["a", "b", "c"]


def test_all_of() -> None:
    flag = AnyOf("in_stock", ("true",))
    assert all_of() is None
    assert all_of(None, flag) == flag
    assert all_of(flag, None, flag) == AllOf((flag, flag))
