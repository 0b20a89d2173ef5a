"""Flower's environment, and all tests that run in it."""

import subprocess
from pathlib import Path

import pytest

from shared.federated import environment

HERE = Path(__file__).parent


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    told = environment.problem(tmp_path)
    assert told is not None
    assert "make federated" in told


def test_requirements_are_exact() -> None:
    lines = environment.REQUIREMENTS.read_text("utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert named
    assert all("==" in line for line in named)


@pytest.mark.integration
def test_what_runs_in_it_is_tested_in_it() -> None:
    if (told := environment.problem()) is not None:
        pytest.skip(told)
    command = [
        environment.program("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider",
        # Its typer is an older one, which click no longer likes.
        "-W", "ignore:'click.:DeprecationWarning",
        str(HERE / "flower"),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=environment.ENVIRONMENT.parent,
        env=environment.variables(),
    )
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout


def test_what_it_runs_with_is_what_the_requirements_name() -> None:
    """The bill of materials is made of them (`make sbom`)."""
    if (told := environment.problem()) is not None:
        pytest.skip(told)
    lines = environment.REQUIREMENTS.read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    asked = (
        "import sys; from importlib.metadata import version; "
        "print(*(f'{name}=={version(name)}' for name in sys.argv[1:]), sep='\\n')"
    )
    names = [line.partition("==")[0] for line in wanted]
    done = subprocess.run(
        [environment.program("python"), "-c", asked, *names],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == wanted
