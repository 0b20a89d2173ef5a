"""A tenant's folder is deleted whole, keys first, however often it takes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared.folder_lock import FolderInUseError, FolderLock
from shared.tenant_folder import delete_tenant_folder, tenant_folder


def filled(data_dir: Path, tenant: str, files: int) -> Path:
    folder = tenant_folder(data_dir, tenant)
    deep = folder / "points-1" / "segments"
    deep.mkdir(parents=True)
    for number in range(files):
        (deep / f"{number}.bin").write_bytes(b"x" * 64)
    (folder / "events.key").write_bytes(b"secret")
    (folder / "events.keys.sqlite").write_bytes(b"secret")
    (folder / "events.keys.sqlite-wal").write_bytes(b"secret")
    (folder / "events.sqlite").write_bytes(b"sealed")
    return folder


def test_it_is_gone_and_nothing_else(tmp_path: Path) -> None:
    acme, bolt = filled(tmp_path, "acme", 3), filled(tmp_path, "bolt", 3)
    (tmp_path / "events.sqlite").write_bytes(b"the suite's own")
    delete_tenant_folder(tmp_path, "acme")
    delete_tenant_folder(tmp_path, "acme")
    assert not acme.exists()
    assert len(list(bolt.rglob("*"))) == 9
    assert (tmp_path / "events.sqlite").exists()
    with pytest.raises(ValueError, match="no tenant"):
        delete_tenant_folder(tmp_path, "")


def test_it_waits_for_who_works_with_it(tmp_path: Path) -> None:
    folder = filled(tmp_path, "acme", 1)
    lock = FolderLock(folder, "the user events")
    lock.acquire()
    with pytest.raises(FolderInUseError):
        delete_tenant_folder(tmp_path, "acme")
    assert (folder / "events.key").read_bytes() == b"secret"
    lock.release()
    delete_tenant_folder(tmp_path, "acme")
    assert not folder.exists()


def test_a_kill_half_way_leaves_no_key_and_the_next_goes_on(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from shared.tenant_folder import delete_tenant_folder;"
        "delete_tenant_folder(pathlib.Path(sys.argv[1]), 'acme')"
    )
    half_way = 0
    for _ in range(5):
        folder = filled(tmp_path, "acme", 3_000)
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)])
        deep = folder / "points-1" / "segments"
        while process.poll() is None and deep.exists():
            if sum(1 for _ in deep.iterdir()) < 3_000:
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.0005)
        process.wait()
        if folder.exists():
            half_way += 1
            assert not list(folder.glob("*.key*"))
        delete_tenant_folder(tmp_path, "acme")
        assert not folder.exists()
        if half_way:
            break
    assert half_way
