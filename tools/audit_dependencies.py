"""Looks for known vulnerabilities of what is installed: `make audit`.

Beside this interpreter's environment, those of Flower and of Triton (`.venv-federated`,
`.venv-triton`) are looked into where they are installed. The advisories come from the package index
(PyPI's JSON interface) by way of pip-audit. An index that has none, such as many mirrors, would
find every package clean; so it is first asked about a release that is known to be vulnerable. Where
it does not know that one either, nothing was checked, and the last line says so.

Exit codes: 0 nothing found, or nothing could be checked; 1 vulnerabilities; with --strict, 3 where
nothing could be checked.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

CANARY = "pyjwt==2.3.0"
"""CVE-2022-29217, of May 2022."""
CANARY_ID = "CVE-2022-29217"
ROOT = Path(__file__).resolve().parents[1]
OWN_ENVIRONMENTS = (".venv-federated", ".venv-triton")
"""Folders of what the suite's own environment cannot hold."""
NOT_CHECKED = "NOT CHECKED: the package index tells no vulnerabilities, not even of " + CANARY


def main(arguments: list[str]) -> int:
    """Audits this interpreter's environment and those beside it; returns the exit code."""
    if not knows_vulnerabilities():
        print(NOT_CHECKED)
        return 3 if "--strict" in arguments else 0
    found = [run("--local", "--skip-editable").returncode]
    for packages in own_packages():
        print(f"In {packages}:", flush=True)
        found.append(run("--path", str(packages)).returncode)
    return max(found)


def own_packages(root: Path = ROOT) -> list[Path]:
    """Returns where the packages of the environments beside lie; those not installed are named."""
    found: list[Path] = []
    for name in OWN_ENVIRONMENTS:
        there = sorted((root / name).glob("lib/python3*/site-packages"))
        if not there:
            print(f"{name} is not installed")
        found += there
    return found


def knows_vulnerabilities() -> bool:
    """Whether the index reports the canary."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{CANARY}\n")
        done = run(
            "--requirement", str(requirements), "--no-deps", "--disable-pip", "--aliases", "on",
            "--format", "json", capture=True,
        )  # fmt: skip
    return CANARY_ID in done.stdout


def run(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """Runs pip-audit."""
    return subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *arguments],
        capture_output=capture,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
