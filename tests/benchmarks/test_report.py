import pytest

from benchmarks import report


@pytest.fixture
def document(tmp_path):
    return tmp_path / "RESULTS.md"


def test_a_section_is_appended_then_replaced_and_others_stay(document):
    report.update_section("one", "## One\n\nfirst", document)
    report.update_section("two", "## Two", document)
    by_hand = document.read_text().replace("## Two", "## Two")
    document.write_text(by_hand + "\nA note by hand.\n")
    report.update_section("one", "## One\n\nsecond", document)
    text = document.read_text()
    assert "first" not in text
    assert text.count("second") == text.count("## Two") == text.count("<!-- begin one -->") == 1
    assert text.index("second") < text.index("## Two") < text.index("A note by hand.")


def test_the_same_body_gives_the_same_document(document):
    report.update_section("one", "body", document)
    before = document.read_text()
    report.update_section("one", "body", document)
    assert document.read_text() == before


def test_damaged_markers_are_refused(document):
    document.write_text("<!-- begin one -->\nhalf a section\n")
    with pytest.raises(ValueError, match="damaged"):
        report.update_section("one", "body", document)


def test_tables_align_figures_to_the_right():
    assert report.table(("a", "b"), [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_provenance_names_command_data_and_machine():
    written = report.provenance("make it", "some data")
    assert written.startswith("`make it` on some data, 2")
    assert " cores, " in written


def test_the_machine_names_its_instructions(monkeypatch, tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text("model name\t: Some CPU\nflags\t\t: sse avx2 avx512f avx512_vnni\n")
    monkeypatch.setattr(report, "CPUINFO", info)
    assert "Some CPU (AVX-512 with VNNI)" in report.machine()
    info.write_text("model name\t: Old CPU\nflags\t\t: sse\n")
    assert "Old CPU," in report.machine()
