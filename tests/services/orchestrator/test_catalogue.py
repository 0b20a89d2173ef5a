"""How long the catalogue is waited for."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from services.orchestrator.catalogue import ProductCatalogue
from services.orchestrator.tokens import TokenSigner
from shared.deadline import Deadline, set_current_deadline
from wherefore.retrieval.v1.retrieval_service_pb2 import ListProductsResponse


@pytest.mark.parametrize(("left", "expected"), [(0.5, 0.45), (20.0, 19.95), (float("inf"), 30.0)])
async def test_a_page_may_take_what_time_its_caller_has(left: float, expected: float) -> None:
    asked: list[float] = []

    async def list_products(request: Any, timeout: float) -> ListProductsResponse:  # noqa: ASYNC109
        del request
        asked.append(timeout)
        return ListProductsResponse()

    clients = SimpleNamespace(
        list_products=list_products, settings=SimpleNamespace(write_timeout_seconds=30)
    )
    catalogue = ProductCatalogue(
        cast("Any", clients), cast("Any", None), cast("Any", None), TokenSigner(b"k" * 32)
    )
    set_current_deadline(Deadline.after(left))
    await catalogue.list(10, "", "", [])
    assert asked == [pytest.approx(expected, abs=0.04)]
