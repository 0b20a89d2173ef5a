"""`wherefore backup` of a suite that is stopped, and the words of `wherefore reindex`."""

import json
import shutil
from pathlib import Path

import pytest

from shared.cli.app import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / "data" / "ranking").mkdir(parents=True)
    (home / "data" / "ranking" / "online.json").write_text("[1]")
    (home / "data" / "orchestrator").mkdir()
    (home / "data" / "orchestrator" / "token.key").write_text("secret")
    monkeypatch.setenv("WHEREFORE_HOME", str(home))
    monkeypatch.setenv("WHEREFORE_SECURITY_DIR", str(home / "security"))
    return home


def test_from_one_suite_to_another(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "all.tar.gz"
    assert main(["backup", "create", "--out", str(archive), "--with-keys", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["files"] == 2
    assert "holds keys" in told.err
    assert main(["backup", "verify", str(archive)]) == 0
    assert "2 files" in capsys.readouterr().out

    assert main(["backup", "restore", str(archive)]) == 1
    assert "--force" in capsys.readouterr().err
    shutil.rmtree(home / "data")
    assert main(["backup", "restore", str(archive)]) == 0
    assert (home / "data" / "orchestrator" / "token.key").read_text() == "secret"


def test_keys_that_are_missing_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "create"]) == 0
    assert "left out: 1 files of keys" in capsys.readouterr().err
    (archive,) = (home / "backups").iterdir()
    shutil.rmtree(home / "data")
    assert main(["backup", "restore", str(archive)]) == 0
    assert "data/orchestrator/token.key" in capsys.readouterr().err


def test_a_list_tells_of_what_is_damaged(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "list"]) == 0
    assert "no archives" in capsys.readouterr().out
    assert main(["backup", "create"]) == 0
    (home / "backups" / "cut.tar.gz").write_bytes(b"")
    capsys.readouterr()
    assert main(["backup", "list", "--json"]) == 0
    whole, cut = sorted(json.loads(capsys.readouterr().out), key=lambda row: "problem" in row)
    assert whole["files"] == 1
    assert "not whole" in cut["problem"]
    assert main(["backup", "list", str(home / "nowhere")]) == 2
    assert main(["backup", "verify", str(home / "backups" / "cut.tar.gz")]) == 1
    assert main(["backup", "verify", str(home / "nothing")]) == 1
    assert "nothing: No such file" in capsys.readouterr().err


@pytest.mark.parametrize("options", [("--back", "--drop-old"), ("--keep-old", "--back")])
def test_one_thing_at_a_time(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reindex", *options]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_a_suite_that_is_away_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reindex", "--target", "127.0.0.1:1"]) == 3
    assert "does not answer" in capsys.readouterr().err
