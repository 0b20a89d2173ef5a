"""`wherefore security remove-tenant`."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer

import pytest

from shared.cli import main
from shared.cli.tenant_removal import SERVICES
from shared.security.api_keys import listed, new_key
from shared.security.removed_tenants import read_removed


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHEREFORE_SECURITY_AUDIT_DIR", str(tmp_path / "audit"))
    (tmp_path / "audit").mkdir()
    for name, tenant in (("web", "acme"), ("import", "acme"), ("web", "bolt"), ("all", "")):
        new_key(tmp_path / "api_keys.json", name, ["shop"], tenant=tenant)
    return tmp_path


def tell(folder: Path, service: str, code: str = "OK", tenant: str = "acme") -> None:
    entry = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "tenant": tenant}
    entry |= {"method": "RemoveTenant", "code": code}
    with (folder / "audit" / f"{service}.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")


def run(folder: Path, *arguments: str) -> int:
    return main(["security", "remove-tenant", "acme", "--dir", str(folder), *arguments])


def test_nothing_is_done_without_a_yes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder) == 1
    assert "--yes" in capsys.readouterr().err
    assert len(listed(folder / "api_keys.json")) == 4
    assert read_removed(folder / "removed_tenants.json") == {}


def test_it_takes_keys_back_and_waits_for_the_services(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for service in SERVICES:
        tell(folder, service, tenant="bolt")
        tell(folder, service, code="BEGUN")
    later = [Timer(0.5, tell, (folder, service)) for service in SERVICES]
    for each in later:
        each.start()
    assert run(folder, "--yes", "--wait", "30") == 0
    assert {each.tenant for each in listed(folder / "api_keys.json")} == {"bolt", ""}
    assert list(read_removed(folder / "removed_tenants.json")) == ["acme"]
    out = capsys.readouterr().out
    assert "2 keys are revoked" in out
    assert all(service in out for service in SERVICES)
    assert run(folder, "--yes") == 0  # again: there is nothing left to do
    assert "0 keys are revoked" in capsys.readouterr().out
    assert main(["security", "key", "w", "--role", "shop", "--tenant", "acme",
                 "--dir", str(folder)]) == 1  # fmt: skip
    assert "was removed" in capsys.readouterr().err


def test_it_says_who_has_not_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for service in SERVICES[1:]:
        tell(folder, service)
    time.sleep(0.01)  # what was told before is of another time
    assert run(folder, "--yes", "--wait", "0.1") == 1
    for service in SERVICES[1:]:
        tell(folder, service)
    assert run(folder, "--yes", "--wait", "0.1") == 1
    assert f"not heard of: {SERVICES[0]};" in capsys.readouterr().err
