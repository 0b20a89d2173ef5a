"""The section on re-indexing and backing up; the drill itself runs in tests/integration."""

from benchmarks.reindex_drill import Drill, Window, _same, section


def test_the_section_tells_what_failed():
    window = Window("re-indexing", 12.5, [0.05] * 98 + [0.2] * 2, 3, ["a", "b"], 1, 1, 0.975)
    text = section(Drill(19_406, [window], 2_000_000, 9_000_000, 1.5, 1.0, 2))
    assert "| re-indexing | 12.5 | 100 | 3 | 50 | 200 | 2 | 1 | 1 | 97.5% |" in text
    assert "9 MB in an archive of 2 MB" in text
    assert "2 of the products acknowledged before the backup are lost" in text


def test_pages_are_compared_by_what_is_on_them():
    assert _same({"q": ["a", "b"], "r": ["c", "d"]}, {"q": ["b", "x"], "r": ["d", "c"]}) == 0.75
