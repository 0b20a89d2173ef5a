"""What Dockerfile says, a stage at a time, and the files that its images hold."""

import os
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath

from docker.utils import exclude_paths
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).resolve().parents[2]
HOME = "/app"
"""Where images hold what lies in the checkout."""


@dataclass(frozen=True)
class Copy:
    """One COPY: its stage (none for the checkout), sources and target."""

    stage: str | None
    sources: tuple[str, ...]
    target: str


@dataclass
class Stage:
    """One FROM and what follows it."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        return [value for name, value in self.instructions if name == instruction]

    @property
    def copies(self) -> list[Copy]:
        found: list[Copy] = []
        for value in self.values("COPY"):
            words = shlex.split(value)
            stage = words.pop(0).partition("=")[2] if words[0].startswith("--from=") else None
            assert not words[0].startswith("--"), f"an option that this test does not know: {value}"
            found.append(Copy(stage, tuple(words[:-1]), words[-1]))
        return found

    @property
    def variables(self) -> dict[str, str]:
        pairs = [shlex.split(value) for value in self.values("ENV")]
        return dict(pair.split("=", 1) for line in pairs for pair in line)


@lru_cache
def stages() -> dict[str, Stage]:
    """Every stage by its name, in order."""
    found: dict[str, Stage] = {}
    for item in DockerfileParser(str(ROOT / "Dockerfile")).structure:
        if item["instruction"] == "COMMENT":
            continue
        if item["instruction"] == "FROM":
            base, _, name = item["value"].split()
            found[name] = Stage(name, base)
        elif found:
            next(reversed(found.values())).instructions.append((item["instruction"], item["value"]))
    return found


@lru_cache
def arguments() -> dict[str, str]:
    """The ARGs before the first FROM."""
    found: dict[str, str] = {}
    for item in DockerfileParser(str(ROOT / "Dockerfile")).structure:
        if item["instruction"] == "FROM":
            break
        if item["instruction"] == "ARG":
            name, _, value = item["value"].partition("=")
            found[name] = value
    return found


def lineage(target: str) -> list[Stage]:
    """The stages that `target` is made of, the first one first."""
    chain: list[Stage] = []
    name = target
    while name in stages():
        chain.insert(0, stages()[name])
        name = chain[0].base
    return chain


def last(target: str, instruction: str) -> str | None:
    """What the image has of an instruction that a later one replaces."""
    values = [value for stage in lineage(target) for value in stage.values(instruction)]
    return values[-1] if values else None


def variables(target: str) -> dict[str, str]:
    """The environment of an image."""
    return {name: value for stage in lineage(target) for name, value in stage.variables.items()}


@lru_cache
def context() -> frozenset[str]:
    """The files that are sent to a builder, by .dockerignore."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    return frozenset(exclude_paths(str(ROOT), patterns, dockerfile="Dockerfile"))


def _files(source: str, *, made: bool) -> Iterator[str]:
    path = ROOT / source
    names = [source] if path.is_file() else []
    if path.is_dir():
        files = (found for found in path.rglob("*") if not found.is_dir())
        names = [str(found.relative_to(ROOT)) for found in files]
    for name in names:
        # Stages make what git ignores; "__pycache__" is made by whoever runs.
        if "__pycache__" not in name and (made or name in context()):
            yield name


def files(target: str) -> dict[str, str]:
    """The files below /app of an image: path there -> path in the checkout.

    What a stage makes (stubs, graphs) stands in the checkout under the same path after `make protos
    models`.
    """
    found: dict[str, str] = {}
    for stage in lineage(target):
        for copy in stage.copies:
            if copy.target.startswith("/"):
                continue
            for source in copy.sources:
                local = str(PurePosixPath(source).relative_to(HOME)) if copy.stage else source
                for name in _files(local.rstrip("/"), made=copy.stage is not None):
                    within = PurePosixPath(name)
                    if (ROOT / local).is_dir():
                        place = PurePosixPath(copy.target) / within.relative_to(local)
                    elif copy.target.endswith("/"):
                        place = PurePosixPath(copy.target) / within.name
                    else:
                        place = PurePosixPath(copy.target)
                    found[str(place)] = name
    return found


def lay_out(target: str, folder: Path) -> None:
    """Puts the files of an image into a folder, which stands for its /app."""
    for place, source in files(target).items():
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_symlink():
            path.symlink_to((ROOT / source).readlink())
            continue
        try:
            os.link(ROOT / source, path)
        except OSError:  # another file system
            shutil.copyfile(ROOT / source, path)


def environment_stage(target: str) -> str | None:
    """The stage whose packages an image has."""
    named = [copy.stage for stage in lineage(target) for copy in stage.copies if copy.stage]
    found = [name for name in named if name.endswith("-environment")]
    return found[-1] if found else None
