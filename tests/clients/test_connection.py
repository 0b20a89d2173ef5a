"""What a client is given, before anything is called."""

from pathlib import Path

import pytest

from shared import channel
from tests.fuzz.methods import all_methods
from wherefore_client import AsyncClient, Client, Deadlines, Tls
from wherefore_client.connection import Connection, service_config


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("shop.example:7700", "shop.example:7700"),
        ("dns:///wherefore:7700", "dns:///wherefore:7700"),
        (["10.0.0.1:7700", "10.0.0.2:7700"], "ipv4:10.0.0.1:7700,10.0.0.2:7700"),
        (["[::1]:7700", "[::2]:7701"], "ipv6:[::1]:7700,[::2]:7701"),
    ],
)
def test_targets(target: str | list[str], address: str):
    assert Connection(target).address() == address


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("", "target: is empty"),
        ([], "target: is empty"),
        (["shop.example:7700"], "dns:///"),
        (["10.0.0.1"], "is no IP:PORT"),
        (["10.0.0.1:7700", "[::1]:7700"], "cannot be mixed"),
    ],
)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
async def test_bad_targets_are_named(
    kind: type[Client] | type[AsyncClient], target: str | list[str], told: str
):
    with pytest.raises(ValueError, match=told):
        kind(target)


def test_no_credential_goes_over_plain_text_unasked():
    for credential in ({"api_key": "wk_1_secret"}, {"token": "a.b.c"}, {"token": lambda: "a.b.c"}):
        with pytest.raises(ValueError, match="tls: ") as raised:
            Client("localhost:1", **credential)
        assert "secret" not in str(raised.value)
        Client("localhost:1", **credential, plain_text_credentials=True).close()
        Client("localhost:1", **credential, tls=Tls()).close()


def test_one_credential_only():
    with pytest.raises(ValueError, match="api_key, token"):
        Client("localhost:1", api_key="wk_1_secret", token="a.b.c", tls=Tls())  # noqa: S106


def test_certificate_and_key_go_together(tmp_path: Path):
    with pytest.raises(ValueError, match="certificate and key"):
        Client("localhost:1", tls=Tls(certificate=tmp_path / "shop.crt"))
    with pytest.raises(FileNotFoundError):
        Client("localhost:1", tls=Tls(ca=tmp_path / "ca.crt"))


@pytest.mark.parametrize("kind", ["page", "study", "stream", "write", "bulk"])
def test_a_deadline_of_nothing_is_refused(kind: str):
    with pytest.raises(ValueError, match=f"{kind}: must be more than 0"):
        Deadlines(**{kind: 0.0})


def test_what_is_retried_is_in_the_contracts_and_can_be_repeated():
    (rule,) = service_config()["methodConfig"]
    assert rule["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]
    assert "timeout" not in rule
    paths = {each.path for each in all_methods()}
    named: set[str] = set()
    for name in rule["name"]:
        method = name.get("method", "")
        prefix = f"/{name['service']}/{method}"
        matching = {
            path for path in paths if path == prefix or (not method and path.startswith(prefix))
        }
        assert matching, name
        named |= matching
    short = {path.removeprefix("/wherefore.orchestrator.v1.") for path in named}
    once = {"Import", "ImportWithProgress", "Update", "Delete", "PurgeUser"}
    assert not {path for path in short if path.rpartition("/")[2] in once}
    assert {"SearchService/Search", "UserEventService/Write", "ProductService/List"} <= short


def test_the_client_spreads_its_calls_as_the_services_do():
    ours, theirs = service_config(), channel.service_config()
    assert ours["loadBalancingConfig"] == theirs["loadBalancingConfig"]
    assert ours["retryThrottling"] == theirs["retryThrottling"]
