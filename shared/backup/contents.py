"""What of a suite's state is durable, and how each file of it is read while the suite runs."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shared.tenant_folder import KEY_FILES

DATA: Final = "data"
AUDIT: Final = "audit"
SECURITY: Final = "security"
PARTS: Final = (DATA, AUDIT, SECURITY)
"""Folders of an archive, and of the state of a suite."""
PRODUCTS: Final = "data/retrieval"
TENANTS: Final = "tenants"
_KEYS_SQLITE: Final = ".keys.sqlite"
_APPENDED: Final = (".jsonl", ".ledger")
# Locks; logs and indexes of SQLite, which its own copy takes in; drafts of files being replaced.
_PASSING: Final = ("-wal", "-shm", "-journal", ".new", ".tmp")


@dataclass(slots=True)
class Contents:
    """Paths in the archive, and where they are read."""

    replaced: dict[str, Path] = field(default_factory=dict[str, Path])
    """Only ever replaced as a whole, by another file of the name."""
    appended: dict[str, Path] = field(default_factory=dict[str, Path])
    """Lines that are only ever appended."""
    databases: list[dict[str, Path]] = field(default_factory=list[dict[str, Path]])
    """SQLite files; those of one entry belong together."""
    keys: dict[str, Path] = field(default_factory=dict[str, Path])
    """What opens the rest, by plain files."""
    key_databases: set[str] = field(default_factory=set[str])
    """Those of `databases` that hold keys."""


def contents_of(home: Path, security: Path, *, products: bool) -> Contents:
    """Returns what is there.

    Args:
        home: State of the suite.
        security: Folder of certificates and keys.
        products: Whether the files of the products are read too; not while they are in use.
    """
    found = Contents()
    for path in _files(home / DATA):
        name = path.relative_to(home).as_posix()
        if name.startswith(f"{PRODUCTS}/"):
            if products:
                found.replaced[name] = path
        elif path.suffix == ".sqlite":
            if not path.name.endswith(_KEYS_SQLITE):
                found.databases.append(_group(home, path, found))
        else:
            _sort(found, name, path)
    for path in _files(home / AUDIT):
        found.appended[path.relative_to(home).as_posix()] = path
    for path in _files(security):
        found.keys[f"{SECURITY}/{path.relative_to(security).as_posix()}"] = path
    return found


def is_key(path: Path) -> bool:
    """Whether a file of the data holds keys."""
    return any(path.match(pattern) for pattern in KEY_FILES)


def is_passing(path: Path) -> bool:
    """Whether a file outlives no process that uses it."""
    return path.name == "lock" or path.name.startswith(".") or path.name.endswith(_PASSING)


def tenants_of(home: Path) -> list[str]:
    """Returns the tenants that have products."""
    folder = home / PRODUCTS / TENANTS
    return sorted(each.name for each in folder.iterdir()) if folder.is_dir() else []


def _sort(found: Contents, name: str, path: Path) -> None:
    if is_key(path):
        found.keys[name] = path
    elif path.suffix in _APPENDED:
        found.appended[name] = path
    else:
        found.replaced[name] = path


def _group(home: Path, path: Path, found: Contents) -> dict[str, Path]:
    group = {path.relative_to(home).as_posix(): path}
    keys = path.with_suffix(_KEYS_SQLITE)
    if keys.exists():
        name = keys.relative_to(home).as_posix()
        group[name] = keys
        found.key_databases.add(name)
    return group


def _files(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(parent) / name
            if not is_passing(path):
                yield path
