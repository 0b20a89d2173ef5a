"""From findings to a mended catalogue: files, decisions, fixes; and figures on real catalogues."""

import random
from pathlib import Path

import pytest

from benchmarks.catalogue_injection import listed_again
from benchmarks.catalogue_quality import variants
from shared.catalogue import bundled_catalogue_path, read_catalogue
from shared.catalogue.quality.check import check, doubted_categories
from shared.catalogue.quality.duplicates import find_duplicates
from shared.catalogue.quality.findings import Finding, ordered, read_findings, write_findings
from shared.catalogue.quality.fixes import apply
from shared.catalogue.quality.page import render
from shared.catalogue.quality.queue import accepted, read_decisions, write_queue
from wherefore.common.v1.product_pb2 import Product

FINDINGS = ordered(
    [
        Finding("duplicate", "error", ("p2", "p1"), "id", "is p1", 0.93, {"delete": True}),
        Finding("variants", "warning", ("p3", "p4"), "variant_group_id", "are one", 0.9,
                {"variant_group_id": "g"}),
        Finding("missing_attribute", "warning", ("p1",), 'attributes["colour"]', "is missing", 0.97,
                {"attribute": {"colour": {"texts": ["red"]}}}, evidence='=HYPERLINK("x")'),
        Finding("title", "hint", ("p1",), 'titles["en"]', "shouts", 1.0, {"title": {"en": "Tea"}}),
        Finding("missing_field", "warning", ("p4",), "price", "is missing", 1.0),
    ]
)  # fmt: skip


def shop() -> list[Product]:
    return [Product(id=f"p{n}", titles={"en": "TEA"}) for n in range(1, 5)]


def bundled() -> list[Product]:
    return [row.product for row in read_catalogue(bundled_catalogue_path()) if row.product]


def test_findings_come_back_as_they_were_written(tmp_path: Path):
    write_findings(tmp_path / "found.jsonl", FINDINGS)
    assert list(read_findings(tmp_path / "found.jsonl")) == FINDINGS
    (tmp_path / "odd.jsonl").write_text('{"kind": "duplicate"}\n')
    with pytest.raises(ValueError, match=r"odd\.jsonl, line 1: is no finding"):
        list(read_findings(tmp_path / "odd.jsonl"))


def test_a_queue_is_decided_in_a_spreadsheet(tmp_path: Path):
    path = tmp_path / "queue.csv"
    assert write_queue(path, FINDINGS) == 4  # one has nothing to apply
    text = path.read_text("utf-8-sig")
    assert "'=HYPERLINK" in text  # no cell is computed
    lines = text.splitlines()
    lines[1] = "yes" + lines[1]
    lines[2] = "No" + lines[2]
    path.write_text("\n".join(lines), "utf-8-sig")
    decisions = read_decisions(path)
    assert sorted(decisions.values()) == [False, True]
    sure = {one.id for one in accepted(FINDINGS, decisions, 0.95)}
    assert sure == {"duplicate/id/p2/p1", 'title/titles["en"]/p1'}
    assert [one.id for one in accepted(FINDINGS, decisions, None)] == ["duplicate/id/p2/p1"]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "accept,id\nperhaps,x\n"])
def test_a_file_that_is_no_queue_is_refused(tmp_path: Path, content: str):
    (tmp_path / "queue.csv").write_text(content)
    with pytest.raises(ValueError, match=r"queue\.csv"):
        read_decisions(tmp_path / "queue.csv")


def test_what_is_accepted_is_mended_and_nothing_else():
    products = {one.id: one for one in apply(shop(), FINDINGS)}
    assert set(products) == {"p1", "p3", "p4"}
    assert products["p1"].titles["en"] == "Tea"
    assert list(products["p1"].attributes["colour"].texts) == ["red"]
    assert products["p3"].variant_group_id == products["p4"].variant_group_id == "g"
    assert list(apply(shop(), [])) == shop()


def test_what_a_product_states_by_now_stays():
    one = Product(id="p1", titles={"en": "Tea"})
    one.attributes["colour"].texts[:] = ["blue"]
    (mended,) = apply([one], FINDINGS)
    assert list(mended.attributes["colour"].texts) == ["blue"]


def test_doubted_and_missing_categories_come_from_the_classifier():
    line = {"product_id": "p1", "category_path": ["Food", "Tea"], "probability": 0.97,
            "evidence": [{"text": "tea"}], "stated_path": ["Toys"],
            "stated": {"verdict": "STATED_CATEGORY_VERDICT_DOUBTED"}}  # fmt: skip
    agreeing = {**line, "stated": {"verdict": "STATED_CATEGORY_VERDICT_AGREES"}}
    without = {**line, "product_id": "p2", "stated_path": [], "stated": {}}
    doubted, missing = doubted_categories([line, agreeing, without])
    assert doubted.fix == {"category_path": ["Food", "Tea"]}
    assert doubted.evidence == "tea"
    assert missing.products == ("p2",)
    assert "is missing" in missing.message


def test_the_page_shows_what_was_found_and_is_no_script():
    page = render("shop <b>", shop(), FINDINGS)
    assert "shop &lt;b&gt;" in page
    assert "4 products, 5 findings on 4 of them" in page
    assert "<script" not in page


def test_hidden_variants_of_the_bundled_catalogue_are_found():
    score = variants(bundled())
    assert score.found > 0
    assert score.precision >= 0.98
    assert score.recall >= 0.95


def test_products_that_were_listed_again_are_found_and_no_others():
    products, chance = bundled(), random.Random(7)  # noqa: S311 - the same in every run
    again = [listed_again(one, n, chance) for n, one in enumerate(chance.sample(products, 100))]
    found = list(find_duplicates([*products, *again]))
    assert len(found) >= 70
    assert all(any(name.startswith("again-") for name in one.products) for one in found)


def test_the_bundled_catalogue_is_whole_and_mending_it_mends_it():
    products = bundled()
    findings = check(products)
    assert not [one for one in findings if one.severity == "error"]
    mended = list(apply(products, accepted(findings, {}, 0.0)))
    assert len(mended) == len(products)
    assert not [one for one in check(mended) if one.fix]
