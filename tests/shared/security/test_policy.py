"""The table of rights against the contracts."""

from pathlib import Path

import pytest

from shared.security.policy import GRANTABLE, OPEN_PREFIX, RULES, SERVICES, Role, rule_of
from tests.fuzz.methods import all_methods

ROOT = Path(__file__).resolve().parents[3]
EDGES = ("/wherefore.orchestrator.", "/wherefore.assistant.", "/wherefore.insight.")
"""Services that keys may call."""
WRITES = ("Write", "Import", "Update", "Delete", "Index", "Purge", "Set")


def test_every_method_has_a_row_and_no_row_is_of_nothing() -> None:
    found = [method.path for method in all_methods()]
    assert len(found) >= 35
    assert set(RULES) == set(found)


def test_the_operator_may_call_all_and_nobody_else_may() -> None:
    for role in set(Role) - {Role.OPERATOR}:
        assert any(role not in rule.roles for rule in RULES.values())
    assert all(Role.OPERATOR in rule.roles for rule in RULES.values())


def test_keys_open_no_inner_service() -> None:
    for method, rule in RULES.items():
        if not method.startswith(EDGES):
            assert rule.roles & GRANTABLE == {Role.OPERATOR}, method


def test_a_key_in_a_browser_reads_no_logs_and_writes_no_catalogue() -> None:
    for method, rule in RULES.items():
        if Role.SHOPPER in rule.roles:
            assert not rule.audited, method
            assert "Product" not in method
            assert "EventLog" not in method


@pytest.mark.parametrize("method", sorted(RULES))
def test_writes_at_the_edge_are_audited(method: str) -> None:
    service, name = method.rsplit("/", 1)
    writes = name.startswith(WRITES) and service.startswith("/wherefore.orchestrator.")
    if writes and not method.endswith("UserEventService/Write"):  # the log of events is its record
        assert RULES[method].audited


@pytest.mark.parametrize(
    ("method", "roles"),
    [
        ("assistant.v1.LearntService/DeleteLearnt", {Role.SHOP}),
        ("assistant.v1.UserDataService/EraseUser", {Role.PRIVACY, Role.ORCHESTRATOR}),
        ("assistant.v1.UserDataService/ExportUser", {Role.PRIVACY, Role.ORCHESTRATOR}),
        ("insight.v1.TextService/EraseTexts", {Role.PRIVACY, Role.ORCHESTRATOR}),
        ("insight.v1.TextService/ExportTexts", {Role.PRIVACY, Role.ORCHESTRATOR}),
    ],
)
def test_what_the_applications_keep_is_erased_and_read_by_few_and_under_audit(
    method: str, roles: set[Role]
) -> None:
    rule = RULES[f"/wherefore.{method}"]
    assert rule.audited
    assert rule.roles == roles | {Role.OPERATOR}


def test_services_are_known_by_their_folder() -> None:
    folders = {each.name for each in (ROOT / "services").iterdir() if (each / "server.py").exists()}
    assert {role.removeprefix("service.") for role in SERVICES} == folders


def test_health_is_open_and_reflection_is_not() -> None:
    assert OPEN_PREFIX == "/grpc.health.v1.Health/"
    rule = rule_of("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    assert rule is not None
    assert Role.SHOPPER not in rule.roles


def test_an_unknown_method_has_no_rule() -> None:
    assert rule_of("/wherefore.orchestrator.v1.SearchService/Drop") is None
