"""What `make install` installs is enough for what `make models` and `make up` run."""

import json
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from shared.suite.ports import ALL
from tests.deploy.requirements import of_project, wanted_by

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
# A program that cannot see the packages that it is told of, as where they are not installed.
WITHOUT = """
import importlib, json, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

MISSING = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Missing())
importlib.import_module(sys.argv[2])
"""


def recipe(target: str) -> str:
    """The lines that make runs for a target."""
    found = re.search(rf"^{re.escape(target)}:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    assert found, target
    return found[1]


def missing(extras: set[str]) -> list[str]:
    """Packages that are here, and would not be after such an installation."""
    there = wanted_by(of_project(*extras)) | {"wherefore"}
    return [
        package
        for package, owners in packages_distributions().items()
        if not there & {canonicalize_name(owner) for owner in owners}
    ]


EXTRAS = set(re.findall(r"--editable '\.\[([\w,]+)\]'", recipe("$(STAMPS)/install"))[0].split(","))
RUN = [
    f"{module}.__main__" if (ROOT / module.replace(".", "/")).is_dir() else module
    for module in re.findall(r"-m (\S+)", recipe("models") + recipe("triton"))
]
SERVED = [f"services.{each}.server" for each in ALL]


def imported(module: str, extras: set[str]) -> subprocess.CompletedProcess[str]:
    """Imports a module where only these extras are installed."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT, json.dumps(missing(extras)), module],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("module", [*RUN, *SERVED, "shared.cli.app"])
def test_what_make_runs_finds_its_packages(module: str) -> None:
    done = imported(module, EXTRAS)
    assert done.returncode == 0, done.stderr


def test_a_package_too_few_is_noticed() -> None:
    done = imported("services.nlu.train.crossmodal.export", EXTRAS - {"pictures"})
    assert "No module named 'PIL'" in done.stderr
