"""`wherefore eval reasons` says what is wrong with its arguments."""

from pathlib import Path

import pytest

from shared.cli.app import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["eval", "reasons", *arguments])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"), [(b"\n  \n", "holds no query"), (b"\xff\xfe\xfa", "utf-8")]
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
