"""The file of removed tenants, and what the guard makes of it."""

import json
from pathlib import Path

import pytest

from shared.errors import PermissionDeniedError
from shared.request_context import current_tenant
from shared.security.audit_log import AuditLog
from shared.security.guard import REMOVE_TENANT, Attempt, Guard
from shared.security.removed_tenants import RemovedTenants, add_removed, read_removed
from tests.shared.security.conftest import Secured

SEARCH = "/wherefore.orchestrator.v1.SearchService/Search"


def test_who_is_in_it_stays_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "removed.json"
    assert read_removed(path) == {}
    since = add_removed(path, "acme")
    assert add_removed(path, "acme") == since
    add_removed(path, "bolt")
    assert set(read_removed(path)) == {"acme", "bolt"}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["", "..", "A", "a/b", "a" * 64])
def test_nobody_else_can_be_in_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        add_removed(tmp_path / "removed.json", name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "[]", '{"acme": "x"}', '{"../x": 1}', '{"acme": 1'])
def test_a_wrong_file_is_refused_and_what_was_known_holds(tmp_path: Path, content: str) -> None:
    path = tmp_path / "removed.json"
    add_removed(path, "acme")
    removed = RemovedTenants(path)
    assert removed.names() == {"acme"}
    path.write_text(content)
    with pytest.raises(ValueError, match="removed"):
        read_removed(path)
    removed._file.look()
    assert removed.names() == {"acme"}


async def test_no_call_of_a_removed_tenant_gets_in(secured: Secured) -> None:
    audit = AuditLog(secured.settings.audit_dir / "log.jsonl")
    guard = Guard(secured.settings, audit)
    acme, operator = secured.key("shop", tenant="acme"), secured.key("operator")

    async def tenant_of(**metadata: str) -> str:
        named = {name.replace("_", "-"): value for name, value in metadata.items()}
        async with guard.admit(Attempt(SEARCH, named)):
            return current_tenant()

    assert await tenant_of(x_api_key=acme) == "acme"
    add_removed(secured.settings.removed_tenants_file, "acme")
    guard._removed._file.look()
    with pytest.raises(PermissionDeniedError):
        await tenant_of(x_api_key=acme)
    with pytest.raises(PermissionDeniedError):
        await tenant_of(x_api_key=operator, x_wherefore_tenant="acme")
    assert await tenant_of(x_api_key=operator, x_wherefore_tenant="bolt") == "bolt"
    assert await tenant_of(x_api_key=operator) == ""
    await guard.tell_removal("acme", done=False)
    await guard.tell_removal("acme", done=True)
    audit.close()
    lines = (secured.settings.audit_dir / "log.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines if REMOVE_TENANT in line]
    assert [(each["tenant"], each["code"]) for each in told] == [("acme", "BEGUN"), ("acme", "OK")]
