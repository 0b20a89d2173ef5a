"""With security on, what nobody should send gets as far as the table of rights lets it, no further.

A message may be no message at all: who may not call is told so before it is looked at.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

import grpc
import pytest

from shared.security.api_keys import new_key
from shared.security.policy import GRANTABLE, RULES, SERVICES, Role
from shared.security.settings import SecuritySettings
from shared.suite import Suite
from tests.fuzz.cases import Case, Start, make_case
from tests.fuzz.client import Client
from tests.fuzz.envelope import TIMEOUT
from tests.fuzz.leaks import leaks
from tests.fuzz.methods import Method, all_methods
from tests.fuzz.oracle import is_too_large, problems
from tests.fuzz.values import Known

pytestmark = pytest.mark.suite

CALLS = 40
"""Of each RPC by each who may call it, about."""
METHODS = all_methods()
CREDENTIALS = ("authorization", "x-api-key", "x-wherefore-tenant", "x-wherefore-caller")
FORGED = (
    (),
    (("x-api-key", "wk_000000000000_guess"),),
    (("x-api-key", "A" * 5000),),
    (("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."),),
    (("authorization", "Basic b3BlcmF0b3I6"), ("x-wherefore-caller", "operator")),
    (("x-api-key-bin", b"\xff\x00"), ("authorization-bin", b"\x80")),
)


@pytest.fixture(scope="module")
def keys(security: SecuritySettings) -> dict[Role, str]:
    return {role: new_key(security.api_keys_file, f"fuzz-{role}", [role]) for role in GRANTABLE}


@pytest.fixture(scope="module")
def outside(secured: Suite, security: SecuritySettings) -> Iterator[Client]:
    authorities = grpc.ssl_channel_credentials(security.ca_file.read_bytes())
    with Client({"orchestrator": secured.target("orchestrator")}, authorities) as client:
        yield client


@pytest.fixture(scope="module")
def inside(secured: Suite, security: SecuritySettings) -> Iterator[dict[Role, Client]]:
    """Clients by the service whose certificate they show."""
    made: dict[Role, Client] = {}
    for role in SERVICES:
        certificate, key = security.pair(role.removeprefix("service."))
        shown = grpc.ssl_channel_credentials(
            security.ca_file.read_bytes(), key.read_bytes(), certificate.read_bytes()
        )
        targets = {name: secured.inner_target(name) for name in secured.names}
        made[role] = Client(targets, shown)
    yield made
    for client in made.values():
        client.close()


def cases(method: Method, who: str) -> Iterator[tuple[Random, Case]]:
    for number in range(CALLS):
        chance = Random(f"{method.path} {who} {number}")  # noqa: S311 - the same in every run
        case = make_case(chance, method, Start((), Known()))
        metadata = tuple(one for one in case.metadata if not one[0].startswith(CREDENTIALS))
        yield chance, replace(case, metadata=metadata, timeout=TIMEOUT)


def check_refused(client: Client, case: Case, code: grpc.StatusCode) -> None:
    outcome = client.call(case)
    if is_too_large(outcome):
        return
    assert outcome.code is code, (outcome, case)
    assert not leaks([outcome.message])
    assert not outcome.responses


def check_let_in(client: Client, case: Case) -> None:
    outcome = client.call(case)
    # This suite has no catalogue and no model of its own, so that answers hold less.
    passed = ["OK", "ended with UNAVAIL"]
    if any("account_id:" in str(message) for message in case.messages()):
        passed.append("ended with PERMISSION_DENIED")  # the keys are for no account
    found: Sequence[str] = [
        one for one in problems(case, outcome) if not one.startswith(tuple(passed))
    ]
    assert not found, (outcome, case)


@pytest.mark.parametrize(
    "method", [one for one in METHODS if one.process == "orchestrator"], ids=lambda one: one.short
)
def test_at_the_edge(outside: Client, keys: dict[Role, str], method: Method) -> None:
    for chance, case in cases(method, "nobody"):
        forged = replace(case, metadata=(*case.metadata, *chance.choice(FORGED)))
        check_refused(outside, forged, grpc.StatusCode.UNAUTHENTICATED)
    for chance, case in cases(method, "keys"):
        role = chance.choice(sorted(keys))
        known = replace(case, metadata=(*case.metadata, ("x-api-key", keys[role])))
        if role in RULES[method.path].roles:
            check_let_in(outside, known)
        else:
            check_refused(outside, known, grpc.StatusCode.PERMISSION_DENIED)


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.short)
def test_between_services(inside: dict[Role, Client], method: Method) -> None:
    for chance, case in cases(method, "services"):
        role = chance.choice(sorted(inside))
        if role in RULES[method.path].roles:
            check_let_in(inside[role], case)
        else:
            check_refused(inside[role], case, grpc.StatusCode.PERMISSION_DENIED)


def test_all_are_well_afterwards(secured: Suite) -> None:
    health = {row.name: row.health for row in secured.status() if row.state != "absent"}
    assert set(health.values()) == {"SERVING"}, health
