"""The command line: help, and what it answers to what is not there."""

from pathlib import Path

import pytest

from services.reason.train.__main__ import main


def run(*arguments: str) -> int:
    try:
        return main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize(
    "command", ["train", "corpus", "evaluate", "export", "entry", "graphs", "speed"]
)
def test_every_command_has_help_with_an_example(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "--help") == 0
    assert f"python -m services.reason.train {command}" in capsys.readouterr().out


def test_a_recipe_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    assert run("train", "nowhere") == 2
    assert "no recipe 'nowhere'" in capsys.readouterr().err


def test_a_run_that_has_not_been_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    assert run("evaluate", "reason_small", "--out", str(tmp_path)) == 2
    assert "holds no run" in capsys.readouterr().err


def test_graphs_are_made_where_there_are_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the extra `train` is not installed")
    assert run("graphs", str(tmp_path)) == 2
    assert "network.safetensors" in capsys.readouterr().err
