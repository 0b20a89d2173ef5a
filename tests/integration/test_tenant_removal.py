"""A tenant is removed from a running suite, also where processes die meanwhile."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import grpc
import psutil
import pytest

from shared.cli.tenant_removal import SERVICES
from shared.security.api_keys import new_key
from shared.security.audit_chain import verify
from shared.security.policy import Role
from shared.security.settings import SecuritySettings
from shared.suite import Suite
from tests.integration.shops import Shop, complete, open_shop, search, until, write
from wherefore.common.v1 import user_event_pb2 as event_pb
from wherefore.orchestrator.v1 import recommendation_service_pb2 as recommendation_pb
from wherefore.orchestrator.v1 import search_service_pb2 as search_pb
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

pytestmark = pytest.mark.suite

GONE, STAYS = "gone-shop", "stays"


@pytest.fixture
def shops(edge: grpc.Channel, security: SecuritySettings) -> tuple[Shop, Shop]:
    """Both with products, events and objects in all services."""
    both = (
        open_shop(edge, security, GONE, "Vexholm", "plumbite"),
        open_shop(edge, security, STAYS, "Harrowby", "cindertop"),
    )
    for shop in both:
        for product in ("p-1", "p-2"):
            write(edge, shop, event_pb.USER_EVENT_TYPE_PURCHASE, product)
        until(lambda shop=shop: complete(edge, shop, shop.secret[:5]).completions)
        until(lambda shop=shop: bought(edge, shop))
    return both


def bought(edge: grpc.Channel, shop: Shop) -> int:
    request = recommendation_pb.RecommendRequest(
        user={"user_id": "ada"}, serving_config="buy-again", include_bought=True
    )
    recommend = RecommendationServiceStub(edge).Recommend
    answer = recommend(request, timeout=30, metadata=shop.metadata)
    return len(answer.results) if answer.serving_config == "buy-again" else 0


def is_let_in(edge: grpc.Channel, shop: Shop) -> bool:
    """By all services: each looks at the file once a second."""
    try:
        complete(edge, shop, "x")
        search(edge, shop, "kettle")
        bought(edge, shop)
    except grpc.RpcError as error:
        assert error.code() is grpc.StatusCode.PERMISSION_DENIED  # noqa: PT017
        return False
    return True


def remove(suite: Suite, security: SecuritySettings, seconds: float) -> tuple[int, str]:
    environment = os.environ | {
        "WHEREFORE_SECURITY_DIR": str(security.dir),
        "WHEREFORE_SECURITY_AUDIT_DIR": str(suite.home / "audit"),
    }
    words = ("security", "remove-tenant", GONE, "--yes", "--wait", str(seconds))
    done = subprocess.run(
        [sys.executable, "-m", "shared.cli", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def folders(suite: Suite, tenant: str) -> set[str]:
    found = (suite.home / "data").glob(f"*/tenants/{tenant}")
    return {each.parts[-3] for each in found}


def told(suite: Suite, service: str, tenant: str) -> Iterator[tuple[str, str]]:
    for line in (suite.home / "audit" / f"{service}.jsonl").read_text().splitlines():
        entry = json.loads(line)
        if entry["tenant"] == tenant:
            yield entry["method"].rpartition("/")[2], entry["code"]


def test_all_that_is_kept_of_a_tenant_goes_and_nothing_else(
    edge: grpc.Channel, secured: Suite, security: SecuritySettings, shops: tuple[Shop, Shop]
) -> None:
    gone, stays = shops
    assert folders(secured, GONE) == folders(secured, STAYS) >= {"orchestrator", "retrieval"}
    purchases = bought(edge, stays)

    # Retrieval stands still while the others delete theirs, and dies before it begins.
    pids = {each.name: each.pid for each in secured.status()}
    psutil.Process(pids["retrieval"]).suspend()
    code, said = remove(secured, security, 8)
    assert code == 1
    assert "not heard of: retrieval;" in said
    assert folders(secured, GONE) == {"retrieval"}
    secured.kill("retrieval")
    secured.kill("orchestrator")
    secured.up()
    code, said = remove(secured, security, 60)
    assert code == 0, said

    assert not folders(secured, GONE)
    request = search_pb.SearchRequest(query="lamp")
    operator = security.operator_token_file.read_text().strip()
    for metadata, refusal in (
        (gone.metadata, grpc.StatusCode.UNAUTHENTICATED),
        (
            (("x-api-key", operator), ("x-wherefore-tenant", GONE)),
            grpc.StatusCode.PERMISSION_DENIED,
        ),
    ):
        with pytest.raises(grpc.RpcError) as error:
            SearchServiceStub(edge).Search(request, timeout=10, metadata=metadata)
        assert error.value.code() is refusal
    assert not folders(secured, GONE)

    # The other one has all that it had.
    assert folders(secured, STAYS) >= {"orchestrator", "retrieval"}
    assert {each.product.brand for each in search(edge, stays, "kettle").results} == {stays.brand}
    assert until(lambda: bought(edge, stays)) == purchases

    # What was done to it, and that it was removed, is on record.
    assert ("Import", "OK") in set(told(secured, "orchestrator", GONE))
    key = security.audit_key_file.read_bytes()
    for service in SERVICES:
        entries = list(told(secured, service, GONE))
        removal = [code for method, code in entries if method == "RemoveTenant"]
        assert removal[0] == "BEGUN"
        assert removal[-1] == "OK"
        assert verify(secured.home / "audit" / f"{service}.jsonl", key).entries

    # Nobody remembers anything: who came back under the name would find a shop without products.
    security.removed_tenants_file.unlink()
    key = new_key(security.api_keys_file, "again", [Role.SHOP, Role.CATALOGUE], tenant=GONE)
    again = Shop(GONE, gone.brand, gone.secret, (("x-api-key", key),))
    until(lambda: is_let_in(edge, again))
    assert not search(edge, again, "kettle").results
    assert not complete(edge, again, gone.brand[:3]).completions
    assert not complete(edge, again, gone.secret[:5]).completions
    assert not bought(edge, again)
