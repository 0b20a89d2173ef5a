"""Versions of an entry of the model repository: NAME/1, NAME/2 and so on."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

CARD_FILE: Final = "README.md"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")


def versions(entry: Path, file: str) -> list[int]:
    """Returns the versions that hold a file, in ascending order.

    Args:
        entry: Folder of the entry; it need not be there.
        file: Name of the file.
    """
    there = [path.parent.name for path in entry.glob(f"*/{file}")]
    return sorted(int(name) for name in there if name.isdecimal())


def next_version(repository: Path, name: str) -> int:
    """Returns the number after that of the newest version of an entry, whatever it holds.

    Raises:
        ValueError: The name is no name of a model.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a model: letters, digits, _ and -, a letter first"
        )
    there = [int(path.name) for path in (repository / name).glob("*") if path.name.isdecimal()]
    return max(there, default=0) + 1


def add_version(entry: Path, version: int, files: Mapping[str, bytes], card: str) -> Path:
    """Writes a version; it appears whole or not at all.

    Args:
        entry: Folder of the entry; made when absent.
        version: Its number.
        files: What it holds, by name.
        card: The model card, beside the versions.

    Returns:
        The folder of the version.

    Raises:
        OSError: It cannot be written, or stands there already.
    """
    # Services look for folders whose names are numbers, so this one is none of theirs.
    draft = entry / f".{version}.{os.getpid()}.part"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        for file, data in files.items():
            (draft / file).write_bytes(data)
        (entry / CARD_FILE).write_text(card, encoding="utf-8")
        return draft.rename(entry / str(version))
    finally:
        shutil.rmtree(draft, ignore_errors=True)
