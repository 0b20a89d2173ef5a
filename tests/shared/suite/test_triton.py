"""Whether Triton can start on this machine, said before it is tried."""

import ctypes.util
import json
from pathlib import Path

import pytest

from shared.suite import triton


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment as `install` leaves it, whose Python was built without a shared library."""
    monkeypatch.setattr(triton, "unsupported", lambda: None)
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    packages, libraries = tmp_path / "packages", tmp_path / "lib"
    answer = {"version": "3.11", "packages": str(packages), "libraries": str(libraries)}
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    python.chmod(0o755)
    (tmp_path / "wherefore-installed.txt").write_text("\n".join(triton.REQUIREMENTS))
    stub = packages / "pytriton/tritonserver/python_backend_stubs/3.11/triton_python_backend_stub"
    stub.parent.mkdir(parents=True)
    stub.touch()
    libraries.mkdir()
    return tmp_path


def test_a_python_without_its_shared_library_is_told_before_the_start(environment: Path) -> None:
    problem = triton.problem(environment=environment)
    assert problem is not None
    assert "apt-get install libpython3.11" in problem


def test_the_shared_library_may_lie_beside_python_or_where_the_loader_looks(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (environment / "lib" / "libpython3.11.so.1.0").touch()
    assert triton.problem(environment=environment) is None
    (environment / "lib" / "libpython3.11.so.1.0").unlink()
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.1.0")
    assert triton.problem(environment=environment) is None


def test_a_python_that_the_backend_does_not_know(environment: Path) -> None:
    next(environment.rglob("triton_python_backend_stub")).unlink()
    assert "does not know Python 3.11" in (triton.problem(environment=environment) or "")


def test_what_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triton, "unsupported", lambda: None)
    assert "make triton" in (triton.problem(environment=tmp_path) or "")
