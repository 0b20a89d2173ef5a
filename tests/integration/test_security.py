"""A suite with security on: nobody gets in without a credential that covers the call."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from shared.security.api_keys import new_key
from shared.security.audit_chain import verify
from shared.security.policy import GRANTABLE, RULES, SERVICES, Role
from shared.security.settings import SecuritySettings
from shared.suite import Suite
from tests.fuzz.methods import Method, all_methods

pytestmark = pytest.mark.suite

REFUSALS = frozenset({grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED})
METHODS = [pytest.param(each, id=each.short) for each in all_methods()]


@pytest.fixture(scope="module")
def keys(security: SecuritySettings) -> dict[Role, str]:
    return {role: new_key(security.api_keys_file, role, [role]) for role in GRANTABLE}


@pytest.fixture(scope="module")
def doors(
    secured: Suite, security: SecuritySettings
) -> Iterator[dict[tuple[str, str], grpc.Channel]]:
    """Channels by who calls (name of a certificate) and whom."""
    made: dict[tuple[str, str], grpc.Channel] = {}
    for caller in (*(role.removeprefix("service.") for role in SERVICES), "operator"):
        certificate, key = security.pair(caller)
        credentials = grpc.ssl_channel_credentials(
            security.ca_file.read_bytes(), key.read_bytes(), certificate.read_bytes()
        )
        for name in secured.names:
            made[caller, name] = grpc.secure_channel(secured.inner_target(name), credentials)
    yield made
    for channel in made.values():
        channel.close()


def code_of(channel: grpc.Channel, method: Method, *metadata: tuple[str, str]) -> grpc.StatusCode:
    """Calls with an empty request, and listens to a stream for a moment."""
    kind = f"{'stream' if method.request_streaming else 'unary'}_"
    kind += "stream" if method.response_streaming else "unary"
    call = getattr(channel, kind)(
        method.path,
        request_serializer=method.request.SerializeToString,
        response_deserializer=method.response.FromString,
    )
    request = iter([method.request()]) if method.request_streaming else method.request()
    try:
        answer = call(request, timeout=5, metadata=metadata)
        if method.response_streaming:
            next(answer, None)
            answer.cancel()
    except grpc.RpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.fixture
def method(request: pytest.FixtureRequest, doors: dict[tuple[str, str], grpc.Channel]) -> Method:
    """A method that is served: what is only in a contract so far answers nobody."""
    method: Method = request.param
    if code_of(doors["operator", method.process], method) is grpc.StatusCode.UNIMPLEMENTED:
        pytest.skip("not served")
    return method


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_no_call_passes_without_a_credential(
    secured: Suite, security: SecuritySettings, edge: grpc.Channel, method: Method
) -> None:
    public = method.process == "orchestrator"
    authorities = grpc.ssl_channel_credentials(security.ca_file.read_bytes())
    inner = secured.inner_target(method.process)
    if public:
        forged = ("x-wherefore-caller", "operator"), ("x-wherefore-tenant", "acme")
        for metadata in (
            (),
            forged,
            (("x-api-key", "wk_000000000000_guess"),),
            (("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."),),
        ):
            assert code_of(edge, method, *metadata) is grpc.StatusCode.UNAUTHENTICATED
        with grpc.insecure_channel(secured.target("orchestrator")) as plain:
            assert code_of(plain, method) is grpc.StatusCode.UNAVAILABLE
    for channel in (grpc.insecure_channel(inner), grpc.secure_channel(inner, authorities)):
        with channel:
            assert code_of(channel, method) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "method",
    [each for each in METHODS if each.values[0].process == "orchestrator"],
    indirect=True,
)
def test_keys_open_what_their_role_may_call(
    edge: grpc.Channel, keys: dict[Role, str], method: Method
) -> None:
    for role, key in keys.items():
        code = code_of(edge, method, ("x-api-key", key))
        if role in RULES[method.path].roles:
            assert code not in REFUSALS, role
        else:
            assert code is grpc.StatusCode.PERMISSION_DENIED, role


@pytest.mark.parametrize("method", METHODS, indirect=True)
def test_certificates_open_what_their_service_has_to_call(
    doors: dict[tuple[str, str], grpc.Channel], method: Method
) -> None:
    for role in (*SERVICES, Role.OPERATOR):
        channel = doors[role.removeprefix("service."), method.process]
        code = code_of(channel, method)
        if role in RULES[method.path].roles:
            assert code not in REFUSALS, role
        else:
            assert code is grpc.StatusCode.PERMISSION_DENIED, role


def test_every_method_is_in_the_table() -> None:
    assert {each.path for each in all_methods()} == set(RULES)


def test_the_audit_log_holds_and_tells_of_refused_calls(
    secured: Suite, security: SecuritySettings
) -> None:
    log = secured.home / "audit" / "orchestrator.jsonl"
    assert verify(log, security.audit_key_file.read_bytes()).entries > 0
    assert '"code":"PERMISSION_DENIED"' in log.read_text()
    assert all(key not in log.read_text() for key in ("wk_", "eyJ"))


def environment(secured: Suite, security: SecuritySettings) -> dict[str, str]:
    return (
        os.environ
        | secured.ports.environment()
        | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "WHEREFORE_HOME": str(secured.home),
            "WHEREFORE_TARGET": secured.target("orchestrator"),
            "WHEREFORE_SECURITY_ENABLED": "true",
            "WHEREFORE_SECURITY_DIR": str(security.dir),
        }
    )


@pytest.mark.parametrize(
    "command",
    [
        "wherefore products list --json",
        "wherefore security audit verify $WHEREFORE_HOME/audit/orchestrator.jsonl",
        "buf curl --protocol grpc --cacert $WHEREFORE_SECURITY_DIR/ca.crt"
        ' -H "x-api-key: $(cat $WHEREFORE_SECURITY_DIR/operator.token)"'
        " --reflect-header '*'"
        ' -d \'{"prefix": "mu"}\''
        " https://$WHEREFORE_TARGET/wherefore.orchestrator.v1.CompletionService/Complete",
    ],
    ids=["command line", "audit", "buf"],
)
def test_commands_of_the_documentation(
    secured: Suite, security: SecuritySettings, command: str
) -> None:
    done = subprocess.run(
        ["bash", "-euc", command],
        env=environment(secured, security),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
