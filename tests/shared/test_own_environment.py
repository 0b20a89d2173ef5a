"""An environment of its own, by a wheel that is made here."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from shared.own_environment import STAMP, InstallError, OwnEnvironment


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "toy_part-1.0-py3-none-any.whl"
    info = "toy_part-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("toy_part.py", "import beside\nprint(beside.SAYS)\n")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: toy-part\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return path


def test_it_is_made_once_and_anew_for_other_contents(tmp_path: Path, wheel: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "beside.py").write_text("SAYS = 'taken from beside'\n")
    own = OwnEnvironment(tmp_path / "own", "toy 1.0")
    assert not own.installed
    own.install(["--no-index", "--no-deps", str(wheel)], sites=[str(site)])
    assert own.installed
    assert (own.packages / "toy_part.py").is_file()
    ran = subprocess.run(
        [own.program("python"), "-c", "import toy_part"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "taken from beside"
    (own.folder / "mark").touch()
    own.install(["--no-index", "no-such-thing"])  # is there: nothing is asked of pip
    assert (own.folder / "mark").is_file()
    other = OwnEnvironment(own.folder, "toy 2.0")
    assert not other.installed
    other.install(["--no-index", "--no-deps", str(wheel)])
    assert other.installed
    assert not (own.folder / "mark").exists()


def test_it_is_made_anew_where_its_python_is_gone(tmp_path: Path, wheel: Path) -> None:
    own = OwnEnvironment(tmp_path / "own", "toy 1.0")
    own.install(["--no-index", "--no-deps", str(wheel)])
    (own.folder / "bin" / "python").unlink()
    (own.folder / "bin" / "python").symlink_to(tmp_path / "python-of-before-the-upgrade")
    assert not own.installed
    own.install(["--no-index", "--no-deps", str(wheel)])
    assert own.installed


def test_what_pip_cannot_do_leaves_no_stamp(tmp_path: Path) -> None:
    own = OwnEnvironment(tmp_path / "own", "x")
    with pytest.raises(InstallError):
        own.install(["--no-index", "no-such-thing"])
    assert not (own.folder / STAMP).exists()
    assert not own.installed
