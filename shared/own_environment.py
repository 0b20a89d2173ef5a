"""Environments of Python for programs whose libraries the suite's own cannot hold."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STAMP: Final = "wherefore-installed.txt"


class InstallError(RuntimeError):
    """pip failed."""


@dataclass(frozen=True, slots=True)
class OwnEnvironment:
    """One of them.

    Attributes:
        folder: Where it lies.
        contents: Tells what is to be in it; one that holds anything else is made anew.
    """

    folder: Path
    contents: str

    @property
    def installed(self) -> bool:
        """Whether it is there, whole, with these contents, and its Python still is."""
        stamp = self.folder / STAMP
        return (
            self.program("python").is_file()
            and stamp.is_file()
            and stamp.read_text(encoding="utf-8") == self.contents
        )

    @property
    def packages(self) -> Path:
        """Where its packages lie."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    def program(self, name: str) -> Path:
        """Returns the path of a program in it, such as "python"."""
        return self.folder / "bin" / name

    def install(self, requirements: Sequence[str], *, sites: Sequence[str] = ()) -> None:
        """Makes it, by this interpreter's pip; does nothing where it is there.

        Args:
            requirements: Arguments of `pip install`.
            sites: Folders of packages that it takes what it lacks from.

        Raises:
            InstallError: pip failed; its messages went to the terminal.
        """
        if self.installed:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        venv.create(self.folder, with_pip=False)
        if sites:
            # As folders of sites, not as paths alone: editable installs are found by files in them.
            lines = [f"import site; site.addsitedir({site!r})\n" for site in sites]
            (self.packages / "zz_suite.pth").write_text("".join(lines), encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "--python", str(self.program("python")), "install"]
        done = subprocess.run(  # noqa: S603 - our own command
            [*pip, "--quiet", "--disable-pip-version-check", *requirements], check=False
        )
        if done.returncode != 0:
            raise InstallError("pip's message is above")
        (self.folder / STAMP).write_text(self.contents, encoding="utf-8")
