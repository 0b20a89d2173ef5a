"""`wherefore eval reasons` says what is wrong with its arguments."""

from pathlib import Path

import pytest

from shared.cli.app import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["eval", "reasons", *arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"), [(b"\n  \n", "holds no query"), (b"\xff\xfe\xfa", "UTF-8")]
)
def test_a_file_without_queries(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, told: str
) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_bytes(content)
    code, said = run(capsys, "--catalogue", "shop.csv", "--queries", str(queries))
    assert (code, told in said) == (2, True)


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, said = run(capsys, "--catalogue", "shop.csv", "--queries", str(tmp_path / "none.txt"))
    assert (code, "none.txt" in said) == (2, True)


def test_a_report_without_a_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("kettle\n")
    report = tmp_path / "nowhere" / "reasons.html"
    code, said = run(
        capsys, "--catalogue", "shop.csv", "--queries", str(queries), "--html", str(report)
    )
    assert (code, "nowhere" in said) == (2, True)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--fail-under=1.5", "0 to 1"),
        ("--min-rejected=1.1", "0 to 1"),
        ("--plain-text=few.txt", "too few sentences of en"),
    ],
)
def test_bounds_and_text_that_cannot_be(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("queries.txt").write_text("kettle\n")
    Path("few.txt").write_text("This kettle is good, I say.\n")
    code, said = run(capsys, "--catalogue", "shop.csv", "--queries", "queries.txt", option)
    assert (code, told in said) == (2, True)


@pytest.mark.parametrize(
    ("content", "generator", "told"),
    [
        (None, "template", "shop.csv: No such file"),
        ("", "template", "cannot tell the format"),
        ("id,title\n", "template", "holds no product"),
        ("id,title\n1,Kettle\n", "nobody", "there are template"),
    ],
)
def test_a_catalogue_or_a_model_that_cannot_be_is_told_before_a_suite_starts(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    content: str | None,
    generator: str,
    told: str,
) -> None:
    queries, shop = tmp_path / "queries.txt", tmp_path / "shop.csv"
    queries.write_text("kettle\n")
    if content is not None:
        shop.write_text(content)
    files = ("--catalogue", str(shop), "--queries", str(queries))
    code, said = run(capsys, *files, "--generator", generator)
    assert (code, told in said, "starting" in said) == (2, True, False)
