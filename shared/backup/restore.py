"""Puts a backup into the state of a suite that is stopped."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import Final

from shared.backup.archive import Readable, read
from shared.backup.contents import DATA, PARTS, PRODUCTS, SECURITY, is_key, is_passing
from shared.backup.manifest import BackupError, Manifest
from shared.durable_file import sync_folder
from shared.folder_lock import FolderInUseError, FolderLock

_LOCKED: Final = (PRODUCTS, "data/orchestrator")
"""Folders that one process has to itself."""


def restore(
    archive: Path, home: Path, security: Path, *, force: bool
) -> tuple[Manifest, list[Path]]:
    """Restores a backup, checked whole before anything is changed.

    Args:
        archive: The backup.
        home: State of the suite; its processes are stopped.
        security: Folder of certificates and keys.
        force: Whether what is there gives way. It is moved aside, not deleted.

    Returns:
        What was restored, and the folders that were moved aside.

    Raises:
        BackupError: It is no backup, or damaged; there is something, or somebody uses it.
        OSError: It cannot be read or written.
    """
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for name in _LOCKED:
            _hold(home / name, stack)
        staged = Path(
            stack.enter_context(tempfile.TemporaryDirectory(dir=home, prefix=".restore-"))
        )
        manifest = read(archive, lambda name, data: _extract(staged, name, data))
        targets = {part: security if part == SECURITY else home / part for part in PARTS}
        present = [part for part in PARTS if (staged / part).is_dir()]
        if not force:
            for part in present:
                keys_may_be_there = part == DATA and not manifest.with_keys
                _check_empty(targets[part], but_keys=keys_may_be_there)
        aside = [_put(staged / part, targets[part], manifest) for part in present]
    return manifest, [path for path in aside if path is not None and path.exists()]


def _hold(folder: Path, stack: ExitStack) -> None:
    if folder.is_dir():
        lock = FolderLock(folder, "its data")
        try:
            lock.acquire()
        except FolderInUseError as error:
            raise BackupError(f"a process uses {folder}: stop the suite first") from error
        stack.callback(lock.release)


def _extract(staged: Path, name: str, data: Readable) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0] not in PARTS:
        raise BackupError(f"the archive holds a file of the name {name!r}")
    target = staged / path
    target.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        shutil.copyfileobj(data, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def _check_empty(folder: Path, *, but_keys: bool) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and not is_passing(path) and not (but_keys and is_key(path)):
            raise BackupError(
                f"{path} is there already: restore into an empty folder, or use --force, which"
                " moves what is there aside"
            )


def _put(staged: Path, target: Path, manifest: Manifest) -> Path | None:
    """Puts a folder in the place of another one; returns where that lies now."""
    before: Path | None = None
    if target.exists():
        if not manifest.with_keys:
            _keep_keys(target, staged)
        before = target.with_name(f"{target.name}.before-{os.urandom(4).hex()}")
        target.rename(before)
    staged.rename(target)
    for folder in (*(path for path in target.rglob("*") if path.is_dir()), target, target.parent):
        sync_folder(folder)
    # Keys that were kept are in both.
    if (
        before is not None
        and not manifest.with_keys
        and not any(
            path.is_file() and not is_passing(path) and not is_key(path)
            for path in before.rglob("*")
        )
    ):
        shutil.rmtree(before)
    return before


def _keep_keys(target: Path, staged: Path) -> None:
    """Keys that were kept in their place open what is restored without any."""
    for path in target.rglob("*"):
        if path.is_file() and is_key(path) and not is_passing(path):
            copy = staged / path.relative_to(target)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
