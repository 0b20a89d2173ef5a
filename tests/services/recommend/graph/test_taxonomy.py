import os
from pathlib import Path

import pytest

from services.recommend.graph.taxonomy import TaxonomyError, make_taxonomy, read_taxonomy

ROOT = Path(__file__).resolve().parents[4]
DATA = Path(os.environ.get("WHEREFORE_DATA") or ROOT.parent / "shared" / "data")
FILE = DATA / "taxonomy" / "categories_en.json"


def test_levels_above_belong_to_it():
    assert make_taxonomy([("A", "B", "C")]).paths == (("A",), ("A", "B"), ("A", "B", "C"))


def test_a_name_of_two_roots_goes_where_the_catalogue_is():
    tree = make_taxonomy([("Computers", "Keyboards"), ("Computers", "Mice"), ("Band", "Keyboards")])
    assert tree.places({"keyboard": 5, "mice": 1})["keyboard"] == ("Computers", "Keyboards")
    assert tree.places({"keyboard": 5})["keyboard"] == ("Band", "Keyboards")


def test_what_sorts_no_goods_and_what_is_vague_has_no_place():
    tree = make_taxonomy([("Name Brands", "Lamps"), ("Phones", "Systems")])
    assert tree.places({"lamp": 1, "system": 1, "": 1}) == {}


@pytest.mark.parametrize("text", ["{", "{}", '[{"name": "A"}]'])
def test_what_is_no_tree_is_refused(tmp_path, text):
    path = tmp_path / "tree.json"
    path.write_text(text)
    with pytest.raises(TaxonomyError, match=r"tree\.json"):
        read_taxonomy(path)


def test_a_category_without_a_name_is_left_out(tmp_path):
    path = tmp_path / "tree.json"
    path.write_text('[{"path": [{"name": "A"}, {"name": null}]}, {"path": [{"name": "B"}]}]')
    assert read_taxonomy(path).paths == (("B",),)


@pytest.mark.skipif(not FILE.exists(), reason=f"needs the public data set {FILE}")
def test_the_public_tree():
    tree = read_taxonomy(FILE)
    assert len(tree.paths) > 4_500
    assert tree.places({"networking cable": 1})["networking cable"][-2:] == (
        "Cables & Connectors",
        "Network Cables",
    )
