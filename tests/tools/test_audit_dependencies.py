"""`make audit` beside an index that knows advisories, and one that does not."""

import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "audit_dependencies.py"
KNOWS = '{"dependencies": [{"vulns": [{"id": "PYSEC-2022-202", "aliases": ["CVE-2022-29217"]}]}]}'


@pytest.fixture
def tool() -> ModuleType:
    spec = spec_from_file_location("audit_dependencies", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def index(tool: ModuleType, monkeypatch: pytest.MonkeyPatch, told: str, code: int) -> list:
    """Stands in for pip-audit; returns what it was asked."""
    asked: list[tuple[str, ...]] = []

    def run(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        asked.append(arguments)
        return subprocess.CompletedProcess(arguments, code, stdout=told if capture else "")

    monkeypatch.setattr(tool, "run", run)
    return asked


def test_an_index_without_advisories_has_checked_nothing(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for told in ("", '{"dependencies": [{"name": "pyjwt", "vulns": []}]}'):
        asked = index(tool, monkeypatch, told, 0)
        assert tool.main([]) == 0
        assert "NOT CHECKED" in capsys.readouterr().out
        assert tool.main(["--strict"]) == 3
        assert not any("--local" in each for each in asked)


@pytest.mark.parametrize("code", [0, 1])
def test_an_index_with_advisories_is_asked_about_what_is_installed(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(tool, "own_packages", list)
    asked = index(tool, monkeypatch, KNOWS, code)
    assert tool.main([]) == code
    assert "--local" in asked[-1]


def test_environments_beside_are_looked_into_where_they_are(
    tool: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packages = tmp_path / ".venv-federated" / "lib" / "python3.11" / "site-packages"
    packages.mkdir(parents=True)
    assert tool.own_packages(tmp_path) == [packages]
    assert ".venv-triton is not installed" in capsys.readouterr().out

    def run(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(
            arguments, 1 if str(packages) in arguments else 0, stdout=KNOWS if capture else ""
        )

    monkeypatch.setattr(tool, "own_packages", lambda: [packages])
    monkeypatch.setattr(tool, "run", run)
    assert tool.main([]) == 1
