"""Drills: back up under traffic, wipe, restore; re-index under traffic; `kill -9` in the midst."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from shared.catalogue import bundled_catalogue_path
from shared.suite import PortPlan, Suite
from tests.integration.conftest import import_catalogue
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceGetRequest,
    ProductServiceUpdateRequest,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_data_service_pb2 import ExportUserRequest
from wherefore.orchestrator.v1.user_data_service_pb2_grpc import UserDataServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite
ROOT = Path(__file__).resolve().parents[2]
QUERIES = (
    "wireless headphones", "yoga mat", "teapot under 100", "running shoes", "red dress",
    "蓝牙耳机", "双肩包 不要黑色", "瑜伽垫", "茶壶", "跑步鞋",
)  # fmt: skip
SECONDS = 20.0
USER = "drill-user"
QUICK = {
    "WHEREFORE_RETRIEVAL_REINDEX_GRACE_SECONDS": "1",
    "WHEREFORE_NLU_TERMS_POLL_SECONDS": "0.5",
}


class Shop:
    """What a shop asks of the suite, by blocking calls from any thread."""

    def __init__(self, target: str) -> None:
        channel = self.channel = grpc.insecure_channel(target)
        self.search = SearchServiceStub(channel).Search
        self.recommend = RecommendationServiceStub(channel).Recommend
        self.products = ProductServiceStub(channel)
        self.write_event = UserEventServiceStub(channel).Write
        self.export = UserDataServiceStub(channel).ExportUser

    def first_ten(self, query: str) -> list[str]:
        response = self.search(SearchRequest(query=query, page_size=10), timeout=SECONDS)
        return [result.product.id for result in response.results]

    def pages(self) -> dict[str, list[str]]:
        return {query: self.first_ten(query) for query in QUERIES}

    def own_page(self) -> list[str]:
        request = RecommendRequest(user=UserContext(user_id=USER), page_size=10)
        response = self.recommend(request, timeout=SECONDS)
        return [response.serving_config, *(result.product.id for result in response.results)]

    def view(self, user: str, product_id: str) -> None:
        event = UserEvent(
            type=USER_EVENT_TYPE_VIEW, user_id=user, products=[ProductDetail(product_id=product_id)]
        )
        self.write_event(UserEventServiceWriteRequest(event=event), timeout=SECONDS)

    def viewed(self, user: str) -> set[str]:
        request = ExportUserRequest(user=UserContext(user_id=user))
        return {
            product.product_id
            for response in self.export(request, timeout=SECONDS)
            for event in response.events
            for product in event.products
        }

    def has(self, product_id: str) -> bool:
        request = ProductServiceGetRequest(product_id=product_id)
        try:
            return self.products.Get(request, timeout=SECONDS).product.id == product_id
        except grpc.RpcError:
            return False


class Traffic:
    """Searches, events and products written, until it ends; keeps what was acknowledged."""

    def __init__(self, shop: Shop, name: str, *, writes: bool = True) -> None:
        self.searches = 0
        self.failed: list[str] = []
        self.products: list[str] = []
        self.views: list[str] = []
        self.user = f"user-{name}"
        self._shop, self._name = shop, name
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(each,))
            for each in (self._search, self._search, *([self._write] if writes else []))
        ]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, products: int) -> None:
        while len(self.products) < products:
            assert not self.failed, self.failed
            time.sleep(0.05)

    def _repeat(self, call: Any) -> None:
        while not self._done.is_set():
            try:
                call()
            except grpc.RpcError as error:
                self.failed.append(str(error))

    def _search(self) -> None:
        found = self._shop.first_ten(QUERIES[self.searches % len(QUERIES)])
        self.searches += 1
        if not found:
            self.failed.append("an empty page")

    def _write(self) -> None:
        number = len(self.products)
        product = Product(id=f"drill-{self._name}-{number}", titles={"en": f"Zyxquor {number}"})
        self._shop.products.Update(
            ProductServiceUpdateRequest(product=product, allow_missing=True), timeout=SECONDS
        )
        self.products.append(product.id)
        self._shop.view(self.user, product.id)
        self.views.append(product.id)


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite of its own, as it is wiped on the way."""
    home = tmp_path_factory.mktemp("drilled")
    with Suite(home, PortPlan.free(), private=True, triton=False, variables=QUICK) as suite:
        suite.up(120)
        asyncio.run(import_catalogue(suite.target("orchestrator"), bundled_catalogue_path()))
        yield suite


@pytest.fixture(scope="module")
def shop(drilled: Suite) -> Iterator[Shop]:
    shop = Shop(drilled.target("orchestrator"))
    for number, product_id in enumerate(shop.first_ten("yoga mat")[:5]):
        shop.view(USER, product_id)
        shop.view(f"other-{number}", product_id)
    yield shop
    shop.channel.close()


def command(suite: Suite, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "shared.cli", *arguments]


def environment(suite: Suite) -> dict[str, str]:
    return os.environ | {
        "WHEREFORE_HOME": str(suite.home),
        "WHEREFORE_TARGET": suite.target("orchestrator"),
        "WHEREFORE_ORCHESTRATOR_RETRIEVAL_TARGET": suite.target("retrieval"),
        "WHEREFORE_SECURITY_DIR": str(suite.home / "security"),
    }


def wherefore(suite: Suite, *arguments: str) -> Any:
    done = subprocess.run(
        command(suite, *arguments, "--json"),
        cwd=ROOT, env=environment(suite), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def overlap(before: dict[str, list[str]], after: dict[str, list[str]]) -> float:
    """Share of what was on the pages that is still there."""
    same = sum(len(set(before[query]) & set(after[query])) for query in QUERIES)
    return same / sum(map(len, before.values()))


def settled_pages(shop: Shop) -> dict[str, list[str]]:
    """The pages, once they stay the same: what is new, or starts, answers with less at first."""
    until = time.monotonic() + 60
    pages, same = shop.pages(), 0
    while same < 3 and time.monotonic() < until:
        time.sleep(1)
        again = shop.pages()
        same = same + 1 if again == pages else 0
        pages = again
    return pages


def pages_again(shop: Shop, expected: dict[str, list[str]]) -> dict[str, list[str]]:
    """The pages, once they are the expected ones."""
    until = time.monotonic() + 60
    while (pages := shop.pages()) != expected and time.monotonic() < until:
        time.sleep(1)
    return pages


def settled_page(shop: Shop, expected: list[str] | None = None) -> list[str]:
    """The user's page, once it is the expected one, or what it is made of was learnt."""
    until = time.monotonic() + 60
    page, same = shop.own_page(), 0
    while time.monotonic() < until and page != expected and (expected or same < 6):
        time.sleep(0.5)
        again = shop.own_page()
        same = same + 1 if again == page and again[0] == "for-you" else 0
        page = again
    return page


def test_wiped_and_restored_it_answers_as_before(
    drilled: Suite, shop: Shop, tmp_path: Path
) -> None:
    page, pages = settled_page(shop), settled_pages(shop)
    assert page[0] == "for-you"
    assert all(len(ids) == 10 for ids in pages.values()), pages
    with Traffic(shop, "backup") as traffic:
        traffic.wait_for(5)
        products, views = list(traffic.products), list(traffic.views)
        archive = tmp_path / "drill.tar.gz"
        told = wherefore(drilled, "backup", "create", "--out", str(archive), "--with-keys")
        traffic.wait_for(len(products) + 5)
    assert traffic.failed == []
    assert traffic.searches > 10
    assert told["products"][""]["product_count"] > 1_900
    assert [row["archive"] for row in wherefore(drilled, "backup", "list", str(tmp_path))] == [
        str(archive)
    ]

    refused = subprocess.run(
        command(drilled, "backup", "restore", str(archive)),
        cwd=ROOT, env=environment(drilled), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "the suite runs" in refused.stderr

    drilled.down()
    shutil.rmtree(drilled.home / "data")
    wherefore(drilled, "backup", "restore", str(archive))
    drilled.up(120)

    assert all(shop.has(product_id) for product_id in products)
    assert set(views) <= shop.viewed(traffic.user)
    assert pages_again(shop, pages) == pages
    assert settled_page(shop, page) == page


def test_reindexed_under_searches_it_answers_as_before(drilled: Suite, shop: Shop) -> None:
    pages = settled_pages(shop)
    with Traffic(shop, "searched", writes=False) as traffic:
        told = wherefore(drilled, "reindex")
    assert traffic.failed == []
    assert traffic.searches > 10
    assert told["agreement"]["exact_share"] == told["agreement"]["graph_share"] == 1
    assert pages_again(shop, pages) == pages


def test_reindexed_there_and_back_under_writes_nothing_is_lost(drilled: Suite, shop: Shop) -> None:
    pages = settled_pages(shop)
    with Traffic(shop, "reindex") as traffic:
        traffic.wait_for(2)
        wherefore(drilled, "reindex", "--keep-old")
        traffic.wait_for(len(traffic.products) + 2)
        wherefore(drilled, "reindex", "--back")
        wherefore(drilled, "reindex", "--drop-old")
        traffic.wait_for(len(traffic.products) + 2)
    assert traffic.failed == []
    assert traffic.searches > 20
    assert all(shop.has(product_id) for product_id in traffic.products)
    assert set(traffic.views) <= shop.viewed(traffic.user)
    # More products make words rarer, and so change the order a little.
    assert overlap(pages, settled_pages(shop)) >= 0.9


def test_killed_in_the_midst_it_is_as_it_was(drilled: Suite, shop: Shop) -> None:
    pages = settled_pages(shop)
    with Traffic(shop, "killed") as traffic:
        traffic.wait_for(1)
        with subprocess.Popen(
            command(drilled, "reindex"), cwd=ROOT, env=environment(drilled),
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        ) as working:  # fmt: skip
            assert working.stderr is not None
            for line in working.stderr:
                if "Building" in line:
                    break
            drilled.kill("retrieval")
            working.stderr.read()
    assert working.returncode == 3
    drilled.restart("retrieval", 120)
    folder = drilled.home / "data" / "retrieval"
    assert len([*folder.glob("index-*/"), *folder.glob("points-*/")]) == 1
    until = time.monotonic() + 60
    while time.monotonic() < until and not all(map(shop.has, traffic.products)):
        time.sleep(0.5)  # until the circuit breaker asks retrieval again
    assert all(shop.has(product_id) for product_id in traffic.products)
    assert pages_again(shop, pages) == pages


def test_other_settings_take_effect(drilled: Suite, shop: Shop) -> None:
    pages = settled_pages(shop)
    changed = QUICK | {"WHEREFORE_RETRIEVAL_QUANTISATION": "int8"}
    drilled.kill("retrieval")
    with Suite(drilled.home, drilled.ports, private=True, triton=False, variables=changed) as other:
        other.restart("retrieval", 120)
        until = time.monotonic() + 60
        while time.monotonic() < until and not shop.has(pages[QUERIES[0]][0]):
            time.sleep(0.5)
        with Traffic(shop, "int8") as traffic:
            wherefore(drilled, "reindex")
            traffic.wait_for(2)
        assert traffic.failed == []
        (live,) = (drilled.home / "data" / "retrieval").glob("index-*/points-*/edge_config.json")
        # So small a catalogue has no quantised copies of its vectors: see test_scale_settings.
        assert '"int8"' in live.read_text()
        assert overlap(pages, settled_pages(shop)) >= 0.9
