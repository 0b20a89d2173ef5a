"""The archive: a gzipped tar that is there whole or not at all."""

import fcntl
import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, Protocol

from pydantic import ValidationError

from shared.backup.manifest import FORMAT, MANIFEST, ArchivedFile, BackupError, Manifest
from shared.durable_file import sync_folder

SUFFIX: Final = ".tar.gz"
_PART: Final = ".wherefore-backup-part-"
_LEVEL: Final = 1
"""Of gzip: events are sealed and hardly get smaller, files of the engine are mostly empty."""
_PIECE: Final = 1 << 20
_MOST_MANIFEST: Final = 64 << 20


class Readable(Protocol):
    """Data of a member."""

    def read(self, size: int = -1, /) -> bytes:
        """Returns the next bytes, at most `size`; none at the end."""
        ...


Take = Callable[[str, Readable], None]
"""Told the path of a member, and its data."""


class ArchiveWriter:
    """Adds files to an archive and keeps count of them."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: list[ArchivedFile] = []

    def add(self, path: str, size: int, data: Iterable[bytes]) -> None:
        """Adds a file.

        Args:
            path: Its name in the archive.
            size: Bytes of it.
            data: These bytes.

        Raises:
            BackupError: They are fewer or more.
        """
        self.begin(path, size)
        for piece in data:
            self.write(piece)
        self.end()

    def begin(self, path: str, size: int) -> None:
        """Begins a file, whose bytes are then written."""
        header = tarfile.TarInfo(path)
        header.size, header.mode = size, 0o600
        self._tar.addfile(header)
        self._path, self._left, self._size = path, size, size
        self._digest = hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Writes bytes of the file that was begun."""
        self._left -= len(data)
        self._digest.update(data)
        self._put(data)

    def end(self) -> None:
        """Ends the file that was begun.

        Raises:
            BackupError: It has not as many bytes as were told.
        """
        if self._left:
            raise BackupError(f"{self._path} changed its size while it was read")
        self._put(bytes(-self._size % tarfile.BLOCKSIZE))
        digest = self._digest.hexdigest()
        self.files.append(ArchivedFile(path=self._path, size_bytes=self._size, sha256=digest))

    def _put(self, data: bytes) -> None:
        stream = self._tar.fileobj
        assert stream is not None  # noqa: S101 - it is open for writing
        stream.write(data)
        self._tar.offset += len(data)


@contextmanager
def written(path: Path) -> Generator[ArchiveWriter]:
    """Makes an archive; a crash or an error leaves none.

    The caller adds the manifest last, by `add_manifest`.

    Raises:
        BackupError: There is such a file.
        OSError: It cannot be written.
    """
    if path.exists():
        raise BackupError(f"{path} is there already: say another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_cut_short(path.parent)
    draft = path.with_name(f"{_PART}{os.getpid()}")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with (
                gzip.GzipFile("", "wb", _LEVEL, file) as packed,
                tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
            ):
                yield ArchiveWriter(tar)
            file.flush()
            os.fsync(file.fileno())
            draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def add_manifest(writer: ArchiveWriter, manifest: Manifest) -> None:
    """Adds the last member."""
    data = manifest.model_dump_json(indent=1).encode()
    writer.add(MANIFEST, len(data), [data])


def read(path: Path, take: Take | None = None) -> Manifest:
    """Reads an archive from end to end and holds it against its manifest.

    Args:
        path: The archive.
        take: Told each file on the way; it reads its data to the end. What it was told may only be
            used when this returns.

    Raises:
        BackupError: It is no archive, not whole, damaged, or of a newer format.
        OSError: It cannot be read.
    """
    seen: list[ArchivedFile] = []
    last: bytes | None = None
    try:
        for member, stream in _members(path):
            if last is not None:
                raise BackupError(f"{path}: there is more after the manifest")
            if member.name == MANIFEST:
                last = stream.read(_MOST_MANIFEST)
                continue
            counted = _Counted(stream)
            if take is None:
                while counted.read(_PIECE):
                    pass
            else:
                take(member.name, counted)
            digest = counted.digest.hexdigest()
            seen.append(ArchivedFile(path=member.name, size_bytes=counted.count, sha256=digest))
    except (tarfile.TarError, zlib.error, gzip.BadGzipFile, EOFError) as error:
        raise BackupError(f"{path} is damaged or not whole: {error}") from error
    if last is None:
        raise BackupError(f"{path} is not whole: it has no manifest")
    manifest = _parsed(path, last)
    _compare(path, manifest.files, seen)
    return manifest


class _Counted:
    """Counts and digests what is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self.digest.update(data)
        self.count += len(data)
        return data


def _members(path: Path) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    with gzip.open(path) as unpacked:
        with tarfile.open(fileobj=unpacked, mode="r|") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isreg() else None
                if stream is None:
                    raise BackupError(f"{path}: {member.name!r} is no file")
                yield member, stream
        while unpacked.read(_PIECE):  # to the checksum at the end
            pass


def _parsed(path: Path, data: bytes) -> Manifest:
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        raise BackupError(
            f"{path}: no manifest of format {FORMAT}: {error.errors()[0]['msg']}; was it made by a"
            " newer version?"
        ) from error


def _compare(path: Path, told: list[ArchivedFile], seen: list[ArchivedFile]) -> None:
    expected = {file.path: file for file in told}
    found = {file.path: file for file in seen}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            what = "is missing" if name not in found else "is not what the manifest says"
            raise BackupError(f"{path} is damaged: {name} {what}")
    if len(found) != len(seen):
        raise BackupError(f"{path} is damaged: it holds a file twice")


def _remove_cut_short(folder: Path) -> None:
    """Removes what backups that were killed left behind."""
    for part in folder.glob(f"{_PART}*"):
        with suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()
