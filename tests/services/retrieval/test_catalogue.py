"""Writing, over both stores: what is skipped, what is refused, what is remembered."""

from collections.abc import Callable, Sequence

import pytest

from services.retrieval.catalogue import Catalogue
from services.retrieval.drafts import Draft
from services.retrieval.store.port import StoredProduct, VectorStore, point_id
from shared.errors import FailedPreconditionError, InvalidArgumentError
from shared.filter_syntax import parse_filter
from wherefore.common.v1.product_pb2 import AttributeValue, Product
from wherefore.common.v1.vector_pb2 import Vector

Make = Callable[..., Product]
MakeVector = Callable[..., Vector]


@pytest.fixture
def catalogue(store: VectorStore) -> Catalogue:
    catalogue = Catalogue(store, 8)
    catalogue.refresh()
    return catalogue


def test_writing_again_changes_nothing(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    drafts = [
        Draft(1, make_product("a", "Kettle"), make_vector(1)),
        Draft(2, make_product("b", "Pot"), None),
    ]
    first = catalogue.write(drafts)
    version = catalogue.version
    second = catalogue.write(drafts)
    assert (first.indexed, first.unchanged) == (2, 0)
    assert (second.indexed, second.unchanged) == (0, 2)
    assert catalogue.version == version > 0


def test_a_vector_that_comes_or_goes_is_a_change(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue.write([Draft(1, make_product("a", "Kettle"), None)])
    assert catalogue.write([Draft(1, make_product("a", "Kettle"), make_vector(1))]).indexed == 1
    assert catalogue.write([Draft(1, make_product("a", "Kettle"), None)]).indexed == 1


def test_a_vector_of_the_same_source_is_kept(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue.write([Draft(1, make_product("a", "Kettle", price=1), make_vector(1), "kettle")])
    (before,) = catalogue.store.fetch([point_id("a")], (), vectors=True)
    cheaper = Draft(1, make_product("a", "Kettle", price=0.5), None, "kettle")
    assert catalogue.write([cheaper]).indexed == 1
    assert catalogue.write([cheaper]).unchanged == 1
    (after,) = catalogue.store.fetch([point_id("a")], ("price",), vectors=True)
    assert after.payload["price"] == 0.5
    assert before.dense is not None
    assert after.dense is not None
    assert after.dense.tolist() == pytest.approx(before.dense.tolist())
    assert catalogue.vector_sources(["a", "b"]) == {"a": "kettle"}


def test_a_vector_that_is_to_be_kept_must_be_there(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue.write(
        [
            Draft(1, make_product("a", "Kettle"), make_vector(1), "kettle"),
            Draft(2, make_product("b", "Kettle"), None),
        ]
    )
    report = catalogue.write(
        [
            Draft(1, make_product("a", "Pot"), None, "pot"),
            Draft(2, make_product("b", "Pot"), None, "kettle"),
            Draft(3, make_product("c", "Pot"), None, "kettle"),
            Draft(4, make_product("d", "Pot"), None, "x" * 65),
        ]
    )
    assert report.indexed == 0
    assert [(error.row, error.field) for error in report.errors] == [
        (4, "vector_source"), (1, "vector_source"), (2, "vector_source"), (3, "vector_source")
    ]  # fmt: skip
    assert catalogue.vector_sources(["a", "b", "c"]) == {"a": "kettle"}


def test_a_vector_may_be_kept_within_the_batch_that_brought_it(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue.write([Draft(1, make_product("a", "Kettle", price=3), make_vector(0, 1), "old")])
    report = catalogue.write(
        [
            Draft(1, make_product("a", "Pot", price=3), make_vector(1), "new"),
            Draft(2, make_product("a", "Pot", price=2), None, "new"),
            Draft(3, make_product("a", "Pot", price=1), None, "old"),
        ]
    )
    assert (report.indexed, [error.row for error in report.errors]) == (2, [3])
    (record,) = catalogue.store.fetch([point_id("a")], ("price",), vectors=True)
    assert record.dense is not None
    assert (record.payload["price"], record.dense[0]) == (2, pytest.approx(1))


def test_the_last_of_equal_ids_stays(catalogue: Catalogue, make_product: Make) -> None:
    drafts = [
        Draft(row, make_product("a", title), None) for row, title in enumerate("xyy", start=1)
    ]
    report = catalogue.write(drafts)
    assert (report.indexed, report.unchanged) == (2, 1)
    (record,) = catalogue.store.fetch([point_id("a")], ("title_terms",))
    assert record.payload["title_terms"] == ["y"]


def test_bad_rows_are_named_and_the_rest_goes_in(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    nan = make_product("d", "Kettle", price=float("nan"))
    skewed = Vector(values=[2.0] + [0.0] * 7, model="toy@1")
    report = catalogue.write(
        [
            Draft(11, make_product("a", "Kettle"), make_vector(1)),
            Draft(12, Product(id="b"), None),
            Draft(13, make_product("c", "Kettle"), Vector(values=[1.0, 0.0], model="toy@1")),
            Draft(14, nan, None),
            Draft(15, make_product("e", "Kettle"), skewed),
            Draft(16, make_product("f", "Kettle"), Vector(values=[1.0] + [0.0] * 7)),
        ]
    )
    assert report.indexed == 1
    assert {(error.row, error.id, error.field) for error in report.errors} == {
        (12, "b", "titles"),
        (13, "c", "vector.values"),
        (14, "d", "price.amount"),
        (15, "e", "vector.values"),
        (16, "f", "vector.model"),
    }
    assert all(error.reason for error in report.errors)
    assert catalogue.store.count(exact=True) == 1


def test_another_model_is_refused(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue.write([Draft(1, make_product("a", "Kettle"), make_vector(1))])
    with pytest.raises(FailedPreconditionError, match="toy@1"):
        catalogue.write([Draft(1, make_product("b", "Pot"), make_vector(1, model="other@1"))])
    with pytest.raises(FailedPreconditionError):
        catalogue.check_model(make_vector(1, model="other@1"))
    assert catalogue.store.count(exact=True) == 1


def test_the_model_may_change_once_no_vector_is_left(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue.write([Draft(1, make_product("a", "Kettle"), make_vector(1))])
    catalogue.delete(["a"])
    other = make_vector(1, model="other@1")
    catalogue.check_model(other)
    with pytest.raises(FailedPreconditionError, match="two models"):
        catalogue.write(
            [
                Draft(1, make_product("b", "Pot"), other),
                Draft(2, make_product("c", "Pan"), make_vector(1)),
            ]
        )
    catalogue.write([Draft(1, make_product("a", "Kettle"), other)])
    assert catalogue.vector_model == "other@1"


def test_delete(catalogue: Catalogue, make_product: Make) -> None:
    catalogue.write([Draft(1, make_product("a", "Kettle"), None)])
    version = catalogue.version
    assert catalogue.delete(["a", "b", "a"]) == (["a"], ["b"])
    assert catalogue.version > version
    assert catalogue.delete(["a"]) == ([], ["a"])
    assert catalogue.version == version + 1


def test_a_version_is_seen_after_its_products_and_kept_before_them(
    catalogue: Catalogue, make_product: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    write, delete = catalogue.store.write, catalogue.store.delete

    def look() -> None:
        seen.append((catalogue.version, catalogue.store.read_meta()["version"]))

    def slow_write(products: Sequence[StoredProduct]) -> None:
        look()
        write(products)

    def slow_delete(product_ids: Sequence[str]) -> None:
        look()
        delete(product_ids)

    monkeypatch.setattr(catalogue.store, "write", slow_write)
    monkeypatch.setattr(catalogue.store, "delete", slow_delete)
    catalogue.write([Draft(1, make_product("a", "Kettle"), None)])
    catalogue.delete(["a"])
    assert seen == [(0, 1), (1, 2)]
    assert catalogue.version == 2


def test_attributes_of_the_catalogue_may_be_filtered_by(
    catalogue: Catalogue, make_product: Make
) -> None:
    with pytest.raises(InvalidArgumentError):
        catalogue.compiler.compile(parse_filter("attributes.ram > 4"))
    product = make_product("a", "Kettle", attributes={"ram": AttributeValue(numbers=[8])})
    catalogue.write([Draft(1, product, None)])
    condition = catalogue.compiler.compile(parse_filter("attributes.ram > 4"))
    catalogue.prepare(condition)
    assert catalogue.store.count(condition, exact=True) == 1


def test_version_and_model_outlive_the_process(
    catalogue: Catalogue, make_product: Make, make_vector: MakeVector
) -> None:
    product = make_product("a", "Kettle", attributes={"ram": AttributeValue(numbers=[8])})
    catalogue.write([Draft(1, product, make_vector(1))])
    again = Catalogue(catalogue.store, 8)
    again.refresh()
    assert (again.version, again.vector_model) == (catalogue.version, "toy@1")
    assert again.compiler == catalogue.compiler


def picture(*components: float, model: str = "eyes@1") -> Vector:
    values = [*components, *[0.0] * (6 - len(components))]
    length = sum(value * value for value in values) ** 0.5
    return Vector(values=[value / length for value in values], model=model)


def test_vectors_of_pictures_come_stay_and_go(
    store: VectorStore, make_product: Make, make_vector: MakeVector
) -> None:
    catalogue = Catalogue(store, 8, 6)
    tee = make_product("a", "Tee", price=1)
    catalogue.write([Draft(1, tee, make_vector(1), "tee", picture(1), "tee.jpg")])
    assert catalogue.picture_sources(["a", "b"]) == {"a": "tee.jpg"}
    assert catalogue.picture_model == "eyes@1"
    cheaper = make_product("a", "Tee", price=0.5)
    kept = Draft(1, cheaper, None, "tee", None, "tee.jpg")
    assert catalogue.write([kept]).indexed == 1
    assert catalogue.write([kept]).unchanged == 1
    assert catalogue.picture_vectors(["a"])["a"].tolist() == pytest.approx([1, 0, 0, 0, 0, 0])
    assert catalogue.vector_sources(["a"]) == {"a": "tee"}
    # What is to be kept must be there.
    report = catalogue.write([Draft(1, cheaper, None, "tee", None, "other.jpg")])
    assert [error.field for error in report.errors] == ["picture_source"]
    # Sent without, it is gone, and the vector of its text is not.
    catalogue.write([Draft(1, cheaper, None, "tee")])
    assert catalogue.picture_vectors(["a"]) == {}
    assert catalogue.vector_sources(["a"]) == {"a": "tee"}


def test_vectors_of_pictures_are_of_one_model_and_size(
    store: VectorStore, make_product: Make
) -> None:
    catalogue = Catalogue(store, 8, 6)
    tee = make_product("a", "Tee")
    bad = [picture(1), Vector(values=[1.0], model="eyes@1"), Vector(values=[2.0] + [0.0] * 5)]
    bad[0].model = ""
    report = catalogue.write([Draft(n, tee, None, "", each) for n, each in enumerate(bad, 1)])
    fields = [error.field for error in report.errors]
    assert fields == ["picture_vector.model", "picture_vector.values", "picture_vector.model"]
    catalogue.write([Draft(1, tee, None, "", picture(1))])
    with pytest.raises(FailedPreconditionError, match="eyes@1"):
        catalogue.write([Draft(1, make_product("b", "Tee"), None, "", picture(1, model="x@1"))])
