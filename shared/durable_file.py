"""Files that outlast a crash: written whole or not at all, name included."""

from __future__ import annotations

import os
from pathlib import Path


def write_durably(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file: after a crash it is as it was before, or the new one whole.

    Args:
        path: The file; its folder is made when absent.
        data: All that it is to hold.
        mode: Who may read and write it, less the process's umask; 0o600 for secrets.

    Raises:
        OSError: It cannot be written; what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # One name for each process: two that write at once never write into one draft.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def make_durably(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Make a file where there is none; one that is there stays as it is.

    Written aside and linked into place: no reader ever sees half of it, and of two processes that
    start at once both end up with the same.

    Args:
        path: The file; its folder is made when absent.
        data: All that it is to hold.
        mode: As of `write_durably`.

    Raises:
        OSError: It cannot be written.
    """
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    write_durably(draft, data, mode=mode)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the name of a new file outlast a loss of power, which fsync of the file does not."""
    if os.name != "posix":  # Windows opens no folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
