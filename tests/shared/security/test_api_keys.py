import json
import stat
import time
from pathlib import Path

import pytest

from shared.security.api_keys import ApiKeys, listed, new_key, read_keys, revoke


def test_a_key_is_found_by_what_was_printed_once(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key = new_key(path, "web", ["shopper"], tenant="acme")
    found = read_keys(path).find(key)
    assert found is not None
    assert (found.name, found.tenant, found.roles) == ("web", "acme", {"shopper"})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key.rpartition("_")[2] not in path.read_text()


def test_what_is_no_key_is_not_found(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key = new_key(path, "web", ["shopper"])
    keys = read_keys(path)
    for wrong in ("", "wk_", key[:-1], f"{key}x", key.upper(), f"wk_{key[3:15]}_", "wk_ffff_x"):
        assert keys.find(wrong) is None
    assert ApiKeys().find("wk_ffff_") is None


def test_expired_disabled_and_revoked_keys_hold_no_more(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    soon = new_key(path, "soon", ["shop"], expires=round(time.time()) - 1)
    later = new_key(path, "later", ["shop"], expires=round(time.time()) + 60)
    assert read_keys(path).find(soon) is None
    assert read_keys(path).find(later) is not None
    content = json.loads(path.read_text())
    content["keys"][1]["disabled"] = True
    path.write_text(json.dumps(content))
    assert read_keys(path).find(later) is None
    assert revoke(path, listed(path)[0].id)
    assert [each.name for each in listed(path)] == ["later"]
    assert not revoke(path, "ffff")


@pytest.mark.parametrize(
    "options",
    [
        {"name": "a b"},
        {"name": ""},
        {"roles": ["service.nlu"]},
        {"roles": ["god"]},
        {"tenant": "../acme"},
        {"tenant": "Acme"},
        {"calls_per_second": -1},
    ],
)
def test_wrong_keys_are_not_made(tmp_path: Path, options: dict) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(ValueError, match=r":"):
        new_key(path, **({"name": "web", "roles": ["shop"]} | options))
    assert not path.exists()


def test_a_wrong_file_is_refused_without_telling_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text('{"keys": [{"id": "aaaa", "name": "x", "sha256": "topsecret"}]}')
    with pytest.raises(ValueError, match="sha256") as error:
        read_keys(path)
    assert "topsecret" not in str(error.value)
    new_key(tmp_path / "other.json", "x", ["shop"])
    content = json.loads((tmp_path / "other.json").read_text())
    path.write_text(json.dumps({"keys": content["keys"] * 2}))
    with pytest.raises(ValueError, match="one id"):
        read_keys(path)
