"""Taxonomies in both forms."""

import json

import pytest

from shared.catalogue.rows import CatalogueError
from shared.catalogue.taxonomy import read_taxonomy


def test_one_category_a_line(tmp_path):
    path = tmp_path / "taxonomy.txt"
    path.write_text(
        "# 2021\n1 - Bags\n2 - Bags > Backpacks\n\nKitchen>Kettles\n厨具 > 水壶\nBags\n"
    )
    assert read_taxonomy(path) == [
        ("Bags",),
        ("Bags", "Backpacks"),
        ("Kitchen", "Kettles"),
        ("厨具", "水壶"),
    ]


def test_a_list_of_objects(tmp_path):
    path = tmp_path / "taxonomy.json"
    rows = [
        {"id": "a", "path": [{"id": "a", "name": "Bags"}]},
        {"path": ["Bags", "Backpacks"]},
        {"path": ["Games", 2048]},
        {"path": [{"name": None}, {"name": "x"}]},
    ]
    path.write_text(json.dumps(rows))
    assert read_taxonomy(path) == [("Bags",), ("Bags", "Backpacks"), ("Games", "2048")]


@pytest.mark.parametrize("text", ["", "# nothing\n", "[", "[1]", '[{"name": "x"}]', "[[]]"])
def test_what_is_no_taxonomy_is_refused(tmp_path, text):
    path = tmp_path / "taxonomy"
    path.write_text(text)
    with pytest.raises(CatalogueError):
        read_taxonomy(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(CatalogueError):
        read_taxonomy(tmp_path / "none")
