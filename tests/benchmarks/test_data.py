import pytest

from benchmarks import data


def test_missing_files_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("WHEREFORE_DATA", str(tmp_path))
    assert data.data_folder() == tmp_path
    with pytest.raises(SystemExit, match=r"no a\.csv, b/c\.json in"):
        data.data_folder("a.csv", "b/c.json")


def test_queries_come_once_and_always_in_the_same_order(tmp_path, monkeypatch):
    monkeypatch.setenv("WHEREFORE_DATA", str(tmp_path))
    folder = tmp_path / "queries"
    folder.mkdir()
    (folder / "zh.tsv").write_text("1\t红裙\n2\t手机 壳\n3\t红裙\n")
    (folder / "en_suggestions.json").write_text('[{"query": "bags"}, {"query": " mug "}]')
    (folder / "en_suggestions_electronics.json").write_text('[{"query": "bags"}]')
    (folder / "en_home_with_class.csv").write_text('query_id,query,query_class\n0,"a, b",C\n')
    queries = data.shopping_queries()
    assert sorted(queries["zh"]) == ["手机 壳", "红裙"]
    assert sorted(queries["en"]) == ["a, b", "bags", "mug"]
    assert data.shopping_queries() == queries
